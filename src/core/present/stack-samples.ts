// SPDX-License-Identifier: MIT
/** Every stack a session took, counted by what was done there: what profiles and flame graphs are made of. */
import { VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import { Names } from '../events/names.js';
import { UserKind } from '../events/user-rows.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { stackIdsOf } from '../lifecycle/stack-id.js';
import { syscallName, syscallNumber } from '../vocabulary/syscalls.js';
import { lasted } from './lifecycle.js';

const MAX_ROWS = 16_384;

/** What a stack was taken of. */
export type SampleKind = 'RETRY' | 'ABORT' | 'waits for mmap_lock (write)' | 'holds mmap_lock';

export interface StackSample {
  readonly kind: SampleKind;
  /** The cause of a RETRY or an ABORT; else the system call. */
  readonly reason: string;
  /** Name of the process; '' not known. */
  readonly process: string;
  /** Ids as in the recording, -1 none. */
  readonly kernelStack: number;
  readonly userStack: number;
  readonly count: number;
  /** Faults: from their beginning to their end. Writers: until the lock was taken. Holders: until it was given back. */
  readonly ns: number;
  /** Symbols, innermost first; empty when none was taken or its names did not come. */
  readonly kernel: readonly string[];
  readonly user: readonly string[];
}

type Row = { -readonly [K in Exclude<keyof StackSample, 'kernel' | 'user'>]: StackSample[K] };

export class StackSamples {
  readonly #arch: string;
  readonly #names: Names = new Names();
  readonly #rows: BoundedMap<string, Row> = new BoundedMap(MAX_ROWS, (row) => row.ns);

  /** `arch`: of the session, for names of system calls. */
  constructor(arch: string) {
    this.#arch = arch;
  }

  /** Rows dropped from a full table. */
  get evicted(): number {
    return this.#rows.evicted;
  }

  batch(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i];
      if (kind === UserKind.Frame || kind === UserKind.Process) this.#names.push(batch, i);
      else if (kind === VlKind.W_ACQUIRED) this.#lock(batch, i, 'waits for mmap_lock (write)');
      else if (kind === VlKind.L_HELD) this.#lock(batch, i, 'holds mmap_lock');
    }
  }

  /** A fault that is over, or at the end in flight. What it took counts once, at its first stack. */
  lifecycle(lifecycle: Lifecycle): void {
    let ns = lasted(lifecycle, lifecycle.last).lo;
    for (const { kernelStack, userStack, cause, outcome } of lifecycle.attempts) {
      if (outcome !== 'retry' && outcome !== 'abort') continue;
      if (kernelStack < 0 && userStack < 0) continue;
      this.#add({
        kind: outcome === 'abort' ? 'ABORT' : 'RETRY',
        reason: cause ?? 'not known',
        process: lifecycle.processName || lifecycle.comm,
        kernelStack,
        userStack,
        count: 1,
        ns: Number.isFinite(ns) ? ns : 0,
      });
      ns = 0;
    }
  }

  /** By time, longest first. */
  samples(): StackSample[] {
    const rows = [...this.#rows.values()].sort((x, y) => y.ns - x.ns || y.count - x.count);
    const frames = this.#names.stacks(new Set(rows.flatMap(({ kernelStack, userStack }) => [kernelStack, userStack])));
    return rows.map((row) => ({
      ...row,
      kernel: frames[row.kernelStack] ?? [],
      user: frames[row.userStack] ?? [],
    }));
  }

  #lock(batch: EventBatch, i: number, kind: SampleKind): void {
    const { kernel, user } = stackIdsOf(batch, i);
    if (kernel < 0 && user < 0) return;
    const tgid = batch.tgid[i] as number;
    const ns = (batch.time[i] as number) - (batch.acquired[i] as number);
    this.#add({
      kind,
      reason: syscallName(syscallNumber(batch[VlSharedArgs.syscall][i] as number), this.#arch),
      process: this.#names.processes.of(tgid, batch.strings[batch.comm[i] as number] ?? ''),
      kernelStack: kernel,
      userStack: user,
      count: 1,
      ns: Number.isFinite(ns) && ns > 0 ? ns : 0,
    });
  }

  #add(row: Row): void {
    const key = `${row.kind} ${row.reason} ${row.process} ${row.kernelStack} ${row.userStack}`;
    const known = this.#rows.get(key);
    if (known === undefined) this.#rows.set(key, row);
    else {
      known.count++;
      known.ns += row.ns;
    }
  }
}

/** Outermost first: the process, its own frames, the kernel's. */
export function pathOf(sample: StackSample, name: (frame: string) => string = (frame) => frame): string[] {
  return [
    sample.kind,
    sample.process || '(process not known)',
    ...[...sample.user].reverse().map(name),
    ...[...sample.kernel].reverse().map(name),
  ];
}
