// SPDX-License-Identifier: MIT
/** What writers of an mm did (VL_W_* rows): how long they waited and held mmap_lock, by process and system call. */
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import type { ProcessNames } from '../events/process-names.js';
import { syscallName, syscallNumber } from '../vocabulary/syscalls.js';
import { Histogram } from './histogram.js';
import type { WriterRow } from './snapshot-rows.js';
import { Hold } from './stall-hold.js';
import type { Stalls } from './stalls.js';

const MAX_ROWS = 1024;
const MAX_WRITER_ROWS = 256;
/** Threads whose latest hold is remembered. */
const MAX_HOLDS = 8192;
/** Holds a thread is remembered with: a fault that queued behind an earlier one may come to be judged late. */
const PAST = 4;

class WriterSums {
  readonly tgid: number;
  readonly comm: string;
  readonly syscall: number;
  acquired = 0;
  readonly wait: Histogram = new Histogram();
  readonly hold: Histogram = new Histogram();
  behindReader = 0;
  behindWriter = 0;
  inverted = 0;
  vmas = 0;
  readonly vmaWait: Histogram = new Histogram();
  retriesLocked = 0;
  retriesDelayed = 0;
  worstHolder = 0;
  worstWaitNs = 0;
  kernelStack = -1;
  userStack = -1;

  constructor(tgid: number, comm: string, syscall: number) {
    this.tgid = tgid;
    this.comm = comm;
    this.syscall = syscall;
  }

  get waited(): number {
    return this.wait.sum + this.vmaWait.sum;
  }
}

interface WriterHold {
  readonly hold: Hold;
  readonly row: WriterSums;
}

/** Who a verdict names, or a fault queued behind. */
interface Named {
  readonly tid: number;
  /** -1 none. */
  readonly syscall: number;
}

export class Writers {
  /** All waits of writers for mmap_lock that were sent. */
  readonly wait: Histogram = new Histogram();
  /** All waits of writers for the readers of a VMA. */
  readonly vmaWait: Histogram = new Histogram();
  readonly #rows: BoundedMap<string, WriterSums> = new BoundedMap(MAX_ROWS, (row) => row.waited + row.hold.sum);
  readonly #holds: BoundedMap<number, WriterHold[]> = new BoundedMap(MAX_HOLDS, (holds) => holds[0]?.hold.had || 0);
  readonly #stalls: Stalls;
  readonly #acquisitionsSeen: boolean;
  readonly #names: ProcessNames;

  /** `acquisitionsSeen`: mmap_lock's tracepoints are hooked, so that one hold can be distinguished from the next. */
  constructor(stalls: Stalls, acquisitionsSeen: boolean, names: ProcessNames) {
    this.#names = names;
    this.#stalls = stalls;
    this.#acquisitionsSeen = acquisitionsSeen;
  }

  get evicted(): number {
    return this.#rows.evicted;
  }

  /** A row of a kind that `isWriterEvent`. */
  push(batch: EventBatch, i: number): void {
    const tid = batch.tid[i] as number;
    const tgid = batch.tgid[i] as number;
    const comm = batch.strings[batch.comm[i] as number] ?? '';
    this.#names.thread(tgid, tid, comm);
    const row = this.#rowOf(tgid, comm, syscallNumber(batch[VlSharedArgs.syscall][i] as number));
    switch (batch.kind[i]) {
      case VlKind.W_ACQUIRED:
        this.#acquired(batch, i, tid, row);
        return;
      case VlKind.W_RELEASED:
        this.#released(batch, i, tid, row);
        return;
      case VlKind.W_VMA:
        row.vmas++;
        row.vmaWait.record(batch[VlArgs.W_VMA.waitNs][i] as number);
        this.vmaWait.record(batch[VlArgs.W_VMA.waitNs][i] as number);
        this.#stalls.writeLocks(
          this.#holdOf(tid, batch.mm[i] as number, row),
          batch.acquired[i] as number,
          batch.vmaStart[i] as number,
          batch.vmaEnd[i] as number,
        );
        return;
    }
  }

  /** A retry's VMA was write-locked meanwhile by `who`; `tgid`, `comm`: of the fault's process, which shares the mm. */
  locked(who: Named, tgid: number, comm: string): void {
    this.#rowOfNamed(who, tgid, comm).retriesLocked++;
  }

  /**
   * A retry's fallback began at `time` to queue for mmap_lock behind `tid`; `latest` is the mm's latest writer, where
   * known. Counted when `tid` is known to have held it for write then: a holder may be a reader.
   */
  delayed(tid: number, time: number, latest: Named | null, tgid: number, comm: string): void {
    for (const { hold, row } of this.#holds.get(tid) ?? []) {
      if (!(hold.had <= time) || hold.released <= time) continue;
      row.retriesDelayed++;
      return;
    }
    if (latest?.tid === tid) this.#rowOfNamed(latest, tgid, comm).retriesDelayed++;
  }

  rows(arch: string): WriterRow[] {
    const order = (x: WriterSums, y: WriterSums): number =>
      y.waited - x.waited ||
      y.hold.sum - x.hold.sum ||
      y.retriesLocked + y.retriesDelayed - x.retriesLocked - x.retriesDelayed ||
      x.tgid - y.tgid ||
      x.syscall - y.syscall;
    return [...this.#rows.values()]
      .sort(order)
      .slice(0, MAX_WRITER_ROWS)
      .map((row) => ({
        tgid: row.tgid,
        comm: this.#names.of(row.tgid, row.comm),
        syscall: row.syscall,
        name: syscallName(row.syscall, arch),
        acquired: row.acquired,
        wait: row.wait.stats(),
        hold: row.hold.stats(),
        behindReader: row.behindReader,
        behindWriter: row.behindWriter,
        inverted: row.inverted,
        vmas: row.vmas,
        vmaWait: row.vmaWait.stats(),
        retriesLocked: row.retriesLocked,
        retriesDelayed: row.retriesDelayed,
        worstHolder: row.worstHolder,
        worstWaitNs: row.worstWaitNs,
        kernelStack: row.kernelStack,
        userStack: row.userStack,
      }));
  }

  #acquired(batch: EventBatch, i: number, tid: number, row: WriterSums): void {
    const time = batch.time[i] as number;
    const flags = batch.flags[i] as number;
    const asked = batch.acquired[i] as number;
    row.acquired++;
    if (!Number.isNaN(asked)) {
      const waited = Math.max(0, time - asked);
      row.wait.record(waited);
      this.wait.record(waited);
      if (flags & VlStepFlag.HOLDER_READER) row.behindReader++;
      if (flags & VlStepFlag.HOLDER_WRITER) row.behindWriter++;
      if (flags & VlStepFlag.INVERTED) row.inverted++;
      if (waited > row.worstWaitNs) {
        row.worstWaitNs = waited;
        row.worstHolder = batch[VlArgs.W_ACQUIRED.holder][i] as number;
        row.kernelStack = batch.kernelStack[i] as number;
        row.userStack = batch.userStack[i] as number;
      }
    }
    const hold = this.#begin(tid, batch.mm[i] as number, time, row);
    this.#stalls.acquired(hold, time, batch.vmaStart[i] as number, batch.vmaEnd[i] as number);
  }

  #released(batch: EventBatch, i: number, tid: number, row: WriterSums): void {
    const time = batch.time[i] as number;
    const had = batch.acquired[i] as number;
    if (!Number.isNaN(had)) row.hold.record(Math.max(0, time - had));
    const mm = batch.mm[i] as number;
    const current = this.#holds.get(tid)?.find(({ hold }) => hold.mm === mm && Number.isNaN(hold.released));
    if (current !== undefined) current.hold.released = time;
  }

  /** The hold a VMA is write-locked under. One that was not sent (it began before the window) has no known beginning. */
  #holdOf(tid: number, mm: number, row: WriterSums): Hold {
    if (!this.#acquisitionsSeen) return new Hold(tid, mm, Number.NaN);
    const current = this.#holds.get(tid)?.find(({ hold }) => hold.mm === mm && Number.isNaN(hold.released));
    return current?.hold ?? this.#begin(tid, mm, Number.NaN, row);
  }

  /** Newest first. */
  #begin(tid: number, mm: number, had: number, row: WriterSums): Hold {
    const hold = new Hold(tid, mm, had);
    const holds = this.#holds.get(tid);
    if (holds === undefined) this.#holds.set(tid, [{ hold, row }]);
    else {
      // The release of an earlier one was lost: it is over, though when is not known better.
      for (const past of holds)
        if (past.hold.mm === mm && Number.isNaN(past.hold.released)) past.hold.released = Number.isNaN(had) ? 0 : had;
      holds.unshift({ hold, row });
      if (holds.length > PAST) holds.pop();
    }
    return hold;
  }

  #rowOfNamed(who: Named, tgid: number, comm: string): WriterSums {
    const known = this.#holds.get(who.tid)?.find(({ row }) => row.syscall === who.syscall)?.row;
    return known ?? this.#rowOf(this.#holds.get(who.tid)?.[0]?.row.tgid ?? tgid, comm, who.syscall);
  }

  #rowOf(tgid: number, comm: string, syscall: number): WriterSums {
    const key = `${tgid}:${syscall}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new WriterSums(tgid, comm, syscall);
      this.#rows.set(key, row);
    }
    return row;
  }
}
