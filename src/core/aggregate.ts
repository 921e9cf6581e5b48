// SPDX-License-Identifier: MIT
/** Sums over lifecycles: per process, per retrying address, per cause, end, wait, release rule and swap device. */
import { BoundedMap } from './bounded-map.js';
import { CauseCosts } from './cause-costs.js';
import { Histogram } from './histogram.js';
import { CAUSES, type Cause, ENDS, type End, type Lifecycle, type WaitKind } from './lifecycle.js';
import { Latest, Slowest } from './recent.js';
import { type AttemptRecord, copyLifecycle, type FaultRecord, type WaitRecord } from './record.js';
import type { FoldSink } from './step.js';
import { type AddressSums, type DeviceSums, ProcessSums, ReleaseSums } from './sums.js';
import { TimelineSums } from './timeline.js';
import { VmaSums } from './vmas.js';

const MAX_PROCESSES = 4096;
const MAX_ADDRESSES = 16_384;
const PAGE_SIZE = 4096;
/** Page numbers of 47-bit addresses: with the number of the mm they fit a double, which is a cheaper key than a string. */
const PAGE_BITS = 35;

function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

function increment<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

export class Aggregate implements FoldSink {
  opens = 0;
  readonly byEnd: Record<End, number> = zeros(ENDS);
  retries = 0;
  joins = 0;
  aborts = 0;
  readonly retryCauses: Record<Cause, number> = zeros(CAUSES);
  readonly abortCauses: Partial<Record<Cause, number>> = {};
  readonly unknownBy: Record<string, number> = {};
  readonly waits: Readonly<Record<WaitKind, Histogram>> = {
    folio: new Histogram(),
    mmapLock: new Histogram(),
    userfault: new Histogram(),
  };
  readonly release: Map<string, ReleaseSums> = new Map();
  readonly devices: Map<number, DeviceSums> = new Map();
  readonly processes: BoundedMap<number, ProcessSums> = new BoundedMap(MAX_PROCESSES, (p) =>
    p.inFlight > 0 ? Number.MAX_VALUE : p.lifecycles,
  );
  readonly addresses: BoundedMap<number | string, AddressSums> = new BoundedMap(MAX_ADDRESSES, (row) => row.retries);
  readonly latest: Latest = new Latest();
  readonly slowest: Slowest = new Slowest();
  readonly vmas: VmaSums = new VmaSums();
  readonly causeCosts: CauseCosts<FaultRecord> = new CauseCosts();
  readonly timeline: TimelineSums = new TimelineSums();
  #nextMm = 0;
  #process: ProcessSums = new ProcessSums(-1, '', 0);
  readonly #onClosed: ((lifecycle: Lifecycle) => void) | null;

  constructor(onClosed: ((lifecycle: Lifecycle) => void) | null = null) {
    this.#onClosed = onClosed;
  }

  opened(fault: FaultRecord): void {
    this.opens++;
    const process = this.#processOf(fault);
    fault.process = process;
    process.lifecycles++;
    process.inFlight++;
  }

  enteredSwap(fault: FaultRecord): void {
    (fault.process as ProcessSums).swap++;
  }

  device(fault: FaultRecord): void {
    const { swap } = fault;
    if (swap === null || swap.missing) return;
    let sums = this.devices.get(swap.type);
    if (sums === undefined || sums.synchronous !== swap.synchronous) {
      sums = { type: swap.type, synchronous: swap.synchronous, faults: sums?.faults ?? 0, retries: sums?.retries ?? 0 };
      this.devices.set(swap.type, sums);
    }
    if (fault.device !== swap.type) sums.faults++;
    fault.device = swap.type;
  }

  settled(fault: FaultRecord, attempt: AttemptRecord): void {
    if (attempt.lock !== 'vma' || !attempt.lockKnown) return;
    const process = fault.process as ProcessSums;
    if (attempt.outcome === 'abort') {
      this.aborts++;
      process.aborts++;
      increment(this.abortCauses, attempt.cause ?? 'unknown');
      return;
    }
    if (attempt.outcome === 'retry') this.#retried(fault, attempt, process);
    const sums = this.#releaseOf(attempt);
    sums.count++;
    const width = attempt.released.hi - attempt.released.lo;
    if (Number.isFinite(width)) sums.width.record(width);
    else sums.unbounded++;
    if (!Number.isNaN(attempt.exactRelease)) sums.check(attempt);
  }

  joined(fault: FaultRecord): void {
    if (fault.vmaAttempt?.lockKnown !== true) return;
    this.joins++;
    if (fault.page !== null) (fault.page as AddressSums).joined++;
  }

  waited(fault: FaultRecord, wait: WaitRecord): void {
    const ns = wait.end - wait.start;
    this.waits[wait.kind].record(ns);
    this.timeline.waited(wait);
    const process = fault.process as ProcessSums;
    if (wait.kind === 'folio') process.folioWaitNs += ns;
    else if (wait.kind === 'mmapLock') process.mmapWaitNs += ns;
  }

  bounded(attempt: AttemptRecord): void {
    if (attempt.lock !== 'vma' || !attempt.lockKnown) return;
    const sums = this.#releaseOf(attempt);
    sums.unbounded--;
    sums.width.record(attempt.released.hi - attempt.released.lo);
  }

  exact(attempt: AttemptRecord): void {
    if (attempt.lock === 'vma' && attempt.lockKnown && attempt.outcome !== 'abort')
      this.#releaseOf(attempt).check(attempt);
  }

  closed(fault: FaultRecord): void {
    this.byEnd[fault.how]++;
    const process = fault.process as ProcessSums;
    process.inFlight--;
    process.totalNs += fault.last - fault.first;
    if (fault.page !== null) {
      const page = fault.page as AddressSums;
      page.closed++;
      increment(page.byEnd, fault.how);
    }
    this.latest.add(fault);
    this.slowest.add(fault);
    this.vmas.closed(fault);
    this.causeCosts.closed(fault);
    if (this.#onClosed !== null) this.#onClosed(copyLifecycle(fault));
  }

  #retried(fault: FaultRecord, attempt: AttemptRecord, process: ProcessSums): void {
    const cause = attempt.cause ?? 'unknown';
    this.retries++;
    process.retries++;
    this.retryCauses[cause]++;
    if (cause === 'unknown') this.unknownBy[attempt.innermost] = (this.unknownBy[attempt.innermost] ?? 0) + 1;
    const device = fault.swap === null ? undefined : this.devices.get(fault.swap.type);
    if (device !== undefined) device.retries++;
    // Without its first step a lifecycle has no address.
    if (Number.isNaN(fault.address)) return;
    const page = this.#pageOf(fault, process);
    if (fault.page === null) page.lifecycles++;
    fault.page = page;
    page.retries++;
    increment(page.byCause, cause);
  }

  #processOf(fault: FaultRecord): ProcessSums {
    let process = this.#process;
    if (process.tgid !== fault.tgid) {
      const known = this.processes.get(fault.tgid);
      process = known ?? new ProcessSums(fault.tgid, fault.comm, fault.cgroup);
      if (known === undefined) this.processes.set(fault.tgid, process);
      this.#process = process;
    }
    // exec and prctl change a name, and a task may move: the latest holds.
    process.comm = fault.comm;
    process.cgroup = fault.cgroup;
    return process;
  }

  #pageOf(fault: FaultRecord, process: ProcessSums): AddressSums {
    // A process that execs is another mm: the same address there is another page.
    if (process.mm !== fault.mm) {
      process.mm = fault.mm;
      process.mmIndex = this.#nextMm++;
    }
    const page = fault.address / PAGE_SIZE;
    const small = page < 2 ** PAGE_BITS && process.mmIndex < 2 ** (53 - PAGE_BITS);
    return this.#pageAt(small ? process.mmIndex * 2 ** PAGE_BITS + page : `${process.mmIndex}:${page}`, fault);
  }

  #pageAt(key: number | string, fault: FaultRecord): AddressSums {
    let page = this.addresses.get(key);
    if (page === undefined) {
      const { tgid, comm, mm, address } = fault;
      page = { tgid, comm, mm, address, lifecycles: 0, retries: 0, joined: 0, closed: 0, byCause: {}, byEnd: {} };
      this.addresses.set(key, page);
    }
    return page;
  }

  #releaseOf(attempt: AttemptRecord): ReleaseSums {
    let sums = this.release.get(attempt.rule);
    if (sums === undefined) {
      sums = new ReleaseSums();
      this.release.set(attempt.rule, sums);
    }
    return sums;
  }
}
