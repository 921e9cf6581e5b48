// SPDX-License-Identifier: MIT
/**
 * Writers that wait for those who hold a VMA's lock for read (VL_W_VMA), and the faults that hold it (VL_L_VMA), from 6.15
 * on. A fault says so when it is about to give the lock back, so its record is in the ring before that of the wait.
 */
import { VlArgs, VlLockFlag, VlStepFlag } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import { isFork, NO_VMA_HOLDER, type NoVmaHolder, PAGE_FAULT } from '../vocabulary/lock-users.js';
import { syscallName, syscallNumber } from '../vocabulary/syscalls.js';
import { blameWait, RecentSpans, type Span } from './blame.js';
import type { WaitedFor } from './blocker-rows.js';
import type { BlockerSums, Fork } from './blocker-sums.js';
import { Waited } from './waited.js';

const MAX_MMS = 1024;
/** Holds remembered of an mm. */
const MAX_SPANS = 512;
/** Forks under way, and VMAs waited for remembered of one. */
const MAX_FORKS = 256;
const MAX_FORK_WAITS = 4096;

interface VmaHold extends Span {
  readonly lo: number;
  readonly hi: number;
  readonly sums: BlockerSums;
}

type ForkWait = Fork['waits'][number] & { readonly start: number };

export class VmaWaits {
  readonly #arch: string;
  readonly #hooked: boolean;
  readonly #waits: Waited<NoVmaHolder> = new Waited(NO_VMA_HOLDER);
  readonly #holds: BoundedMap<number, RecentSpans<VmaHold>> = new BoundedMap(MAX_MMS, (holds) => holds.latest);
  /** By thread. */
  readonly #forking: BoundedMap<number, ForkWait[]> = new BoundedMap(MAX_FORKS, (waits) => waits.at(-1)?.start ?? 0);
  /** Some writer came to a VMA and it was not looked who held it: a recording of an earlier version. */
  #readersUnseen = false;

  /** `arch` as in `SessionInfo`; `hooked`: __vma_start_write is. */
  constructor(arch: string, hooked: boolean) {
    this.#arch = arch;
    this.#hooked = hooked;
  }

  /** null where it is not seen whether a writer waits for the readers of a VMA. */
  waits(): WaitedFor<NoVmaHolder> | null {
    return this.#hooked && !this.#readersUnseen ? this.#waits.row() : null;
  }

  /** A row of kind VL_L_VMA; `sums`: of the task that holds it. */
  held(batch: EventBatch, i: number, sums: BlockerSums): void {
    const end = batch.time[i] as number;
    const since = batch.acquired[i] as number;
    const tid = batch.tid[i] as number;
    sums.cgroup = batch.cgroup[i] as number;
    sums.owner = batch.tgid[i] as number;
    sums.held(tid, end - since, batch.kernelStack[i] as number, batch.userStack[i] as number);
    const mm = batch.mm[i] as number;
    let holds = this.#holds.get(mm);
    if (holds === undefined) {
      holds = new RecentSpans(MAX_SPANS);
      this.#holds.set(mm, holds);
    }
    holds.add({
      // When it took the lock is not known, but that it had it when the writer came.
      start: Number.isNaN(since) ? Number.NEGATIVE_INFINITY : since,
      end,
      tid,
      lo: batch.vmaStart[i] as number,
      hi: batch.vmaEnd[i] as number,
      sums,
    });
  }

  /** A row of kind VL_W_VMA: a VMA was write-locked, and its readers were waited for if there were any. */
  written(batch: EventBatch, i: number): void {
    const flags = batch.flags[i] as number;
    const start = batch.acquired[i] as number;
    if (!(flags & VlStepFlag.EXACT)) this.#readersUnseen = true;
    if (!(flags & VlStepFlag.HOLDER_READER) || Number.isNaN(start)) return;
    const ns = batch[VlArgs.W_VMA.waitNs][i] as number;
    const tid = batch.tid[i] as number;
    const lo = batch.vmaStart[i] as number;
    const hi = batch.vmaEnd[i] as number;
    const comm = batch.strings[batch.comm[i] as number] ?? '';
    const number = syscallNumber(batch[VlArgs.W_VMA.syscall][i] as number);
    const what = flags & VlLockFlag.KTHREAD ? comm : number < 0 ? PAGE_FAULT : syscallName(number, this.#arch);
    if (isFork(what)) this.#forkWaited(tid, { start, ns, lo, hi });
    const parts = new Map<BlockerSums, number>();
    const holds = this.#holds.get(batch.mm[i] as number);
    if (holds !== undefined)
      blameWait(
        holds,
        { start, end: start + ns, tid },
        (hold, part) => void parts.set(hold.sums, (parts.get(hold.sums) ?? 0) + part),
        (hold) => hold.lo < hi && lo < hold.hi,
      );
    const victim = { tgid: batch.tgid[i] as number, comm, what, isWrite: true };
    for (const [sums, part] of parts) sums.blockedWait(victim, part);
    this.#waits.times.record(ns);
    if (parts.size > 0) this.#waits.named++;
    else this.#waits.why['reader-left-no-name']++;
  }

  /** What a VL_L_HELD row says of the mm it copied, and the VMAs that were waited for since mmap_lock was acquired. */
  forked(batch: EventBatch, i: number, since: number): Fork {
    const tid = batch.tid[i] as number;
    const locked = batch.forkLocked[i] as number;
    const waits = this.#forking.get(tid)?.filter(({ start }) => !(start < since)) ?? [];
    this.#forking.delete(tid);
    return {
      threads: batch.forkThreads[i] as number,
      vmas: batch.forkVmas[i] as number,
      vmaWaitNs: this.#hooked ? (batch.forkWait[i] as number) : null,
      locked: this.#hooked && locked > 0 ? locked : null,
      waits,
    };
  }

  #forkWaited(tid: number, wait: ForkWait): void {
    const waits = this.#forking.get(tid);
    if (waits === undefined) this.#forking.set(tid, [wait]);
    else if (waits.length < MAX_FORK_WAITS) waits.push(wait);
  }
}
