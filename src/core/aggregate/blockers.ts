// SPDX-License-Identifier: MIT
/**
 * Who blocked whom over mmap_lock (VL_L_* rows): each hold that others queued behind, and each wait that queued. The
 * record of a hold is in the ring before those of the waits behind it, so a wait is settled when it comes.
 */
import { VlArgs, VlKind, VlLockFlag } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import type { ProcessNames } from '../events/process-names.js';
import { NO_HOLDER, type NoHolder, type NoVmaHolder, PAGE_FAULT } from '../vocabulary/lock-users.js';
import { blameWait, RecentSpans, type Span } from './blame.js';
import type { BlockerRow, LockNowRow, WaitedFor } from './blocker-rows.js';
import { BlockerSums, type Victim } from './blocker-sums.js';
import { LocksNow, lockUserOf } from './locks-now.js';
import { VmaWaits } from './vma-waits.js';
import { Waited } from './waited.js';

const MAX_ROWS = 1024;
const MAX_BLOCKER_ROWS = 256;
const MAX_MMS = 1024;
/** Holds, and waits of writers, remembered of an mm. */
const MAX_SPANS = 512;
const MAX_NAMES = 8192;

interface Hold extends Span {
  readonly isWrite: boolean;
  readonly sums: BlockerSums;
  /** Whether readers queued behind a writer that queued behind it. */
  convoy: boolean;
}

/** A wait of a writer: what a convoy forms behind. */
interface Queued extends Span {
  readonly who: string;
}

class MmLock {
  readonly holds: RecentSpans<Hold> = new RecentSpans(MAX_SPANS);
  readonly writers: RecentSpans<Queued> = new RecentSpans(MAX_SPANS);
  touched = 0;
}

export class Blockers {
  readonly #arch: string;
  readonly #names: ProcessNames;
  readonly #rows: BoundedMap<string, BlockerSums> = new BoundedMap(
    MAX_ROWS,
    (row) => row.blocked.sum + (row.hold.sum + row.waited.sum) / 1e6,
  );
  readonly #mms: BoundedMap<number, MmLock> = new BoundedMap(MAX_MMS, (lock) => lock.touched);
  /** Processes by their mm, and the row of a thread's latest hold. */
  readonly #processes: BoundedMap<number, { readonly tgid: number; readonly comm: string }> = new BoundedMap(
    MAX_NAMES,
    () => 0,
  );
  readonly #threads: BoundedMap<number, BlockerSums> = new BoundedMap(MAX_NAMES, () => 0);
  readonly #all: Waited<NoHolder> = new Waited(NO_HOLDER);
  readonly #faults: Waited<NoHolder> = new Waited(NO_HOLDER);
  readonly #now: LocksNow;
  #clock = 0;
  /** Holds for read behind which a writer queued, and readers behind that one; of all rows. */
  convoys = 0;
  /** Waits that began before holds they may have been spent behind were given up. */
  late = 0;

  readonly vmas: VmaWaits;

  /** `arch` as in `SessionInfo`; `vmaWritesSeen`: __vma_start_write is hooked. */
  constructor(arch: string, vmaWritesSeen: boolean, names: ProcessNames) {
    this.#names = names;
    this.#arch = arch;
    this.#now = new LocksNow(arch);
    this.vmas = new VmaWaits(arch, vmaWritesSeen);
  }

  get evicted(): number {
    return this.#rows.evicted;
  }

  /** A row of kind VL_L_HELD, VL_L_WAITED or VL_L_VMA; of any other kind for which `isLockEvent` it says nothing. */
  push(batch: EventBatch, i: number): void {
    this.#names.thread(batch.tgid[i] as number, batch.tid[i] as number, batch.strings[batch.comm[i] as number] ?? '');
    if (batch.kind[i] === VlKind.L_HELD) this.#held(batch, i);
    else if (batch.kind[i] === VlKind.L_WAITED) this.#waited(batch, i);
    else if (batch.kind[i] === VlKind.L_VMA) this.vmas.held(batch, i, this.#sumsOf(batch, i, false, 'vma'));
  }

  /** A row of kind `UserKind.Lock`: what a task holds or awaits at the time of a sample. */
  pushNow(batch: EventBatch, i: number): void {
    this.#now.push(batch, i, this.#processes.get(batch.mm[i] as number));
  }

  /** By time others waited, descending; bounded. */
  rows(): BlockerRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.hold.count + row.untimed > 0 || row.blocked.count > 0 || row.waited.count > 0)
      .sort(
        (x, y) =>
          y.blocked.sum - x.blocked.sum ||
          y.hold.sum - x.hold.sum ||
          y.waited.sum - x.waited.sum ||
          x.tgid - y.tgid ||
          (x.what < y.what ? -1 : 1),
      )
      .slice(0, MAX_BLOCKER_ROWS)
      .map((row) => {
        const owner = this.#processes.get(row.mm);
        const tgid = owner?.tgid ?? row.owner;
        return row.row(tgid, this.#names.of(tgid, owner?.comm ?? ''), this.#names);
      });
  }

  /** `vma`: of writers, for the readers of a VMA; null where these are not seen. */
  waits(): { readonly all: WaitedFor; readonly faults: WaitedFor; readonly vma: WaitedFor<NoVmaHolder> | null } {
    return { all: this.#all.row(), faults: this.#faults.row(), vma: this.vmas.waits() };
  }

  /** What is held and awaited as of `sampled`; longest first. A sample without rows says that nobody queues. */
  now(sampled: number): LockNowRow[] {
    return this.#now.rows(sampled);
  }

  #held(batch: EventBatch, i: number): void {
    const end = batch.time[i] as number;
    const since = batch.acquired[i] as number;
    const tid = batch.tid[i] as number;
    const flags = batch.flags[i] as number;
    const isWrite = (flags & VlLockFlag.WRITE) !== 0;
    const mm = batch.mm[i] as number;
    const sums = this.#sumsOf(batch, i, isWrite, 'mmap');
    sums.cgroup = batch.cgroup[i] as number;
    const owner = batch[VlArgs.L_HELD.owner][i] as number;
    if (owner !== 0) sums.owner = owner;
    sums.held(tid, end - since, batch.kernelStack[i] as number, batch.userStack[i] as number);
    if (flags & VlLockFlag.FORK) sums.forked(this.vmas.forked(batch, i, since));
    this.#threads.set(tid, sums);
    this.#lockOf(mm).holds.add({
      // One that began before the session has no beginning.
      start: Number.isNaN(since) ? Number.NEGATIVE_INFINITY : since,
      end,
      tid,
      isWrite,
      sums,
      convoy: false,
    });
  }

  #waited(batch: EventBatch, i: number): void {
    const end = batch.time[i] as number;
    const start = Math.min(end, batch.acquired[i] as number);
    const tid = batch.tid[i] as number;
    const flags = batch.flags[i] as number;
    const isWrite = (flags & VlLockFlag.WRITE) !== 0;
    const mm = batch.mm[i] as number;
    const tgid = batch.tgid[i] as number;
    const comm = batch.strings[batch.comm[i] as number] ?? '';
    const what = lockUserOf(batch, i, this.#arch);
    if (!(flags & (VlLockFlag.FOREIGN | VlLockFlag.KTHREAD | VlLockFlag.EXITING)))
      this.#processes.set(mm, { tgid, comm });
    const lock = this.#lockOf(mm);
    // Asked for before the session began: how long it waited, and behind whom, is not known.
    if (Number.isNaN(start)) {
      this.late++;
      return;
    }
    if (start < lock.holds.lostTo) this.late++;
    const victim = { tgid, comm, what, isWrite };
    const parts = new Map<BlockerSums, number>();
    const convoyed = new Set<BlockerSums>();
    const rest = blameWait(lock.holds, { start, end, tid }, (hold, ns, from) => {
      parts.set(hold.sums, (parts.get(hold.sums) ?? 0) + ns);
      // A reader does not wait for a reader, but for a writer that queued before it.
      if (!isWrite && !hold.isWrite && this.#convoy(lock, hold, from, from + ns)) convoyed.add(hold.sums);
    });
    for (const [sums, ns] of parts) sums.blockedWait(victim, ns);
    for (const sums of convoyed) sums.convoyWaits++;
    const named = parts.size > 0 || this.#namedByLock(batch[VlArgs.L_WAITED.holder][i] as number, flags, victim, rest);
    if (this.#settle(this.#all, end - start, named, flags))
      this.#sumsOf(batch, i, isWrite, 'mmap').waited.record(end - start);
    if (what === PAGE_FAULT) this.#settle(this.#faults, end - start, named, flags);
    if (isWrite) lock.writers.add({ start, end, tid, who: `${comm} ${what}` });
  }

  /** Whether a writer queued meanwhile: the reader stands behind the earliest one in the queue. */
  #convoy(lock: MmLock, hold: Hold, from: number, to: number): boolean {
    let first: Queued | null = null;
    for (const writer of lock.writers.endingAfter(from))
      if (writer.start < to && (first === null || writer.start < first.start)) first = writer;
    if (first === null) return false;
    if (!hold.convoy) {
      hold.convoy = true;
      this.convoys++;
      hold.sums.convoys++;
    }
    hold.sums.convoyBehind(first.who);
    return true;
  }

  /** A writer's name in the lock is certain; a reader's is that of the latest one, which may be gone. */
  #namedByLock(tid: number, flags: number, victim: Victim, ns: number): boolean {
    if (tid === 0 || !(flags & VlLockFlag.FOUND_WRITER)) return false;
    const sums = this.#threads.get(tid);
    if (sums === undefined) return false;
    sums.blockedWait(victim, ns);
    return true;
  }

  /** Whether it was a wait. */
  #settle(waited: Waited<NoHolder>, ns: number, named: boolean, flags: number): boolean {
    if (!named && !(flags & (VlLockFlag.FOUND_READER | VlLockFlag.FOUND_WRITER))) {
      waited.free++;
      return false;
    }
    waited.times.record(ns);
    if (named) waited.named++;
    else if (flags & VlLockFlag.FOUND_READER) waited.why['reader-not-seen']++;
    else waited.why['writer-not-seen']++;
    return true;
  }

  #sumsOf(batch: EventBatch, i: number, isWrite: boolean, lock: BlockerRow['lock']): BlockerSums {
    const tgid = batch.tgid[i] as number;
    const mm = batch.mm[i] as number;
    const comm = batch.strings[batch.comm[i] as number] ?? '';
    const what = lockUserOf(batch, i, this.#arch);
    const key = `${tgid}:${mm}:${lock}:${isWrite ? 'w' : 'r'}:${what}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new BlockerSums({ tgid, comm, what, isWrite }, mm, lock);
      this.#rows.set(key, row);
    }
    return row;
  }

  #lockOf(mm: number): MmLock {
    let lock = this.#mms.get(mm);
    if (lock === undefined) {
      lock = new MmLock();
      this.#mms.set(mm, lock);
    }
    lock.touched = ++this.#clock;
    return lock;
  }
}
