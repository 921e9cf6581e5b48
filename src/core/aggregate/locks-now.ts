// SPDX-License-Identifier: MIT
/** What tasks hold and await of mmap_locks that others queue for, as of the last sample (`UserKind.Lock` rows). */

import { VlLockFlag, VlSharedArgs } from '../../schema/events.gen.js';
import type { EventBatch } from '../events/batch.js';
import { UserArgs } from '../events/user-rows.js';
import { lockUser, procFile } from '../vocabulary/lock-users.js';
import { syscallNumber } from '../vocabulary/syscalls.js';
import type { LockNowRow } from './blocker-rows.js';

/** Rows of one sample. */
const MAX_NOW = 512;

/** What the task of a row about locks is doing, in words: `lockUser`. */
export function lockUserOf(batch: EventBatch, i: number, arch: string): string {
  const file = procFile(batch.strings[batch.file[i] as number] ?? '');
  const comm = batch.strings[batch.comm[i] as number] ?? '';
  return lockUser(batch.flags[i] as number, syscallNumber(batch[VlSharedArgs.syscall][i] as number), file, comm, arch);
}

export class LocksNow {
  readonly #arch: string;
  /** By task, mm and whether it waits: the last sample of a session comes twice. */
  readonly #rows: Map<string, LockNowRow> = new Map();
  #time: number = Number.NaN;

  /** `arch` as in `SessionInfo`. */
  constructor(arch: string) {
    this.#arch = arch;
  }

  /** `owner`: the process whose mm it is, where that is known. */
  push(batch: EventBatch, i: number, owner: { readonly tgid: number; readonly comm: string } | undefined): void {
    const time = batch.time[i] as number;
    if (time !== this.#time) {
      this.#time = time;
      this.#rows.clear();
    }
    if (this.#rows.size >= MAX_NOW) return;
    const mm = batch.mm[i] as number;
    const isWaiting = batch[UserArgs.Lock.isWaiting][i] === 1;
    this.#rows.set(`${batch.tid[i]}:${mm}:${isWaiting}`, {
      tid: batch.tid[i] as number,
      tgid: batch.tgid[i] as number,
      comm: batch.strings[batch.comm[i] as number] ?? '',
      what: lockUserOf(batch, i, this.#arch),
      isWrite: ((batch.flags[i] as number) & VlLockFlag.WRITE) !== 0,
      isWaiting,
      mm,
      owner: owner?.tgid ?? 0,
      ownerComm: owner?.comm ?? '',
      since: batch.acquired[i] as number,
    });
  }

  /** As of `sampled`; longest first. A sample without rows says that nobody queues. */
  rows(sampled: number): LockNowRow[] {
    if (this.#time !== sampled) return [];
    return [...this.#rows.values()].sort((x, y) => x.since - y.since || x.tid - y.tid);
  }
}
