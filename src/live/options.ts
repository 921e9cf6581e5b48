// SPDX-License-Identifier: MIT
/** What a live session is asked for, and what it can do besides being a source. */
import type { Scope } from '../core/events/session.js';
import type { Source } from '../core/events/source.js';
import type { CgroupFilter } from '../core/vocabulary/cgroup-filter.js';

export type ReleaseWish = 'auto' | 'derived' | 'observed' | 'best';

export interface LiveOptions {
  readonly scope: Scope;
  /**
   * `auto`: derived, which is cheap and works everywhere; `observed` hooks up_read as well, 6.4 to 6.14 only, and
   * `best` does so where it can.
   */
  readonly release: ReleaseWish;
  readonly pids: readonly number[];
  readonly tids: readonly number[];
  readonly comm?: string;
  /** Only tasks of one of these cgroups, or of one below. */
  readonly cgroups: readonly CgroupFilter[];
  /** Send faults under the VMA lock that took at least this long, whatever the scope; 0: none. */
  readonly minUs: number;
  /** A power of two, at least a page. */
  readonly ringBytes: number;
  /** Only processes spawned inside `spawnWindow`, and their children. */
  readonly follow: boolean;
  /** Have the kernel take our programs' run times. */
  readonly stats: boolean;
  /** Hook mmap_lock's tracepoints: writers, waits by decade, ends of second passes. Verdicts and writers' names need it. */
  readonly writers: boolean;
  /** Send writers that waited at least this long (microseconds); those that meet a retry are always sent. */
  readonly writerMinUs: number;
  /** Send holds of mmap_lock that lasted at least this long (microseconds) though nobody queued behind them; 0: none. */
  readonly holdMinUs: number;
  readonly stacks: { readonly kernel: boolean; readonly user: boolean };
  /** Before privileges are given up: keep this process in memory, and from being the OOM killer's first (`stayResident`). */
  readonly lock: boolean;
  /** Where the host's file system is seen: elsewhere than at / inside a container. */
  readonly hostRoot?: string;
  /** Hooks to leave out, by name. */
  readonly without: readonly string[];
  /** What `dropPrivileges` does: see planStandDown. */
  readonly standDown: () => void;
  /** Called with an optional hook's program that the kernel refuses, with libbpf's and the verifier's words. */
  readonly onRefused?: (program: string, log: string) => void;
}

/** Whether some processes or threads are followed, not all: new ones may have their pids and their mms, or be their children. */
export function isFiltered({ follow, pids, tids, cgroups, comm }: LiveOptions): boolean {
  return follow || pids.length > 0 || tids.length > 0 || cgroups.length > 0 || comm !== undefined;
}

export interface LiveSource extends Source {
  /** Children forked while `start` runs are followed. */
  spawnWindow<T>(start: () => T): T;
  /**
   * The session lasts this long and no longer, however late `close()` comes: in a storm timers are. It is to be closed all
   * the same. To be asked once, before `batches()`.
   */
  limit(ms: number): void;
  /** Nothing that is done after attach needs a privilege: none is kept, in no thread. Throws a `UserError`. */
  dropPrivileges(): void;
  /** Settles when what takes privileges to read (the kernel's symbols) was read, a few seconds at most. */
  primed(): Promise<void>;
  /**
   * Follows one step less from now on: all, retry, swap. Takes no privilege, and the session goes on under its first
   * scope's name. Returns what is followed now, null when there was nothing less.
   */
  lowerScope(): Scope | null;
  /** Takes one such step back. Returns what is followed now, null when it is the session's scope already. */
  raiseScope(): Scope | null;
}
