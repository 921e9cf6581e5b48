// SPDX-License-Identifier: MIT
/** Builds the `Snapshot` from the sums. Everything in it is a copy: later steps do not change an earlier snapshot. */
import { VlCounter } from '../schema/events.gen.js';
import type { Aggregate } from './aggregate.js';
import type { Counters } from './counters.js';
import type { LifecycleFold } from './fold.js';
import type { Lifecycle } from './lifecycle.js';
import { KEPT_LIFECYCLES } from './recent.js';
import { copyLifecycle, type FaultRecord } from './record.js';
import type { SessionInfo } from './session.js';
import type { AddressRow, ProcessRow, Snapshot } from './snapshot.js';
import { describeState } from './state-text.js';
import type { AddressSums, ProcessSums } from './sums.js';

export const MAX_PROCESS_ROWS = 256;
export const MAX_ADDRESS_ROWS = 256;

export interface SnapshotInputs {
  readonly session: SessionInfo;
  readonly time: number;
  readonly ended: boolean;
  readonly fold: LifecycleFold;
  readonly sums: Aggregate;
  readonly counters: Counters;
}

export function makeSnapshot(inputs: SnapshotInputs): Snapshot {
  const { session, time, ended, fold, sums, counters } = inputs;
  const kernel = (counter: number): number => counters.kernel[counter] ?? 0;
  const vmaLock = {
    success: kernel(VlCounter.VMA_OK),
    retry: kernel(VlCounter.VMA_RETRY),
    completed: kernel(VlCounter.VMA_COMPLETED),
    abort: kernel(VlCounter.ABORT),
    error: kernel(VlCounter.VMA_ERROR),
  };
  const kernelMode = kernel(VlCounter.KERNEL);
  const byEnd = { ...sums.byEnd, 'in-flight': fold.openCount };
  return {
    session,
    time,
    durationNs: time,
    ended,
    counts: {
      faults: vmaLock.success + vmaLock.retry + vmaLock.completed + vmaLock.error + vmaLock.abort + kernelMode,
      vmaLock,
      mmapLock:
        kernel(VlCounter.MMAP_OK) +
        kernel(VlCounter.MMAP_RETRY) +
        kernel(VlCounter.MMAP_COMPLETED) +
        kernel(VlCounter.MMAP_ERROR),
      kernelMode,
      gup: kernel(VlCounter.GUP),
      kthreadSwap: kernel(VlCounter.KTHREAD),
    },
    events: { ...counters.events(), stateLost: kernel(VlCounter.STATE_LOST) + kernel(VlCounter.NESTED_LOST) },
    lifecycles: { total: sums.opens, byEnd, incomplete: byEnd.incomplete, evicted: fold.evicted },
    retry: {
      total: sums.retries,
      byCause: { ...sums.retryCauses },
      unknownBy: { ...sums.unknownBy },
      // Whether the VMA was write-locked meanwhile is not observed yet: unknown is the truth.
      avoidable: 0,
      notAvoidable: 0,
      unknown: sums.retries,
      joined: sums.joins,
    },
    abort: { total: sums.aborts, byCause: { ...sums.abortCauses } },
    waits: {
      folio: sums.waits.folio.stats(),
      mmapLock: sums.waits.mmapLock.stats(),
      userfault: sums.waits.userfault.stats(),
    },
    release: releaseOf(sums),
    swap: {
      faults: kernel(VlCounter.SWAP),
      synchronous: kernel(VlCounter.SWAP_SYNC),
      asynchronous: kernel(VlCounter.SWAP_ASYNC),
      lockOrRetry: {
        calls: kernel(VlCounter.FLOR),
        retry: kernel(VlCounter.FLOR_RETRY),
        locked: kernel(VlCounter.FLOR_LOCKED),
      },
      devices: [...sums.devices.values()].map((device) => ({ ...device })).sort((x, y) => x.type - y.type),
    },
    kernelHist: counters.kernelHist(),
    overhead: counters.overhead(),
    ringUsedBytes: counters.self[3] ?? 0,
    processes: processRows(sums),
    addresses: addressRows(sums),
    vmas: sums.vmas.top(),
    causeCosts: sums.causeCosts.copy(copyLifecycle),
    timeline: sums.timeline.copy(),
    latest: sums.latest.newestFirst().map(copyLifecycle),
    slowest: sums.slowest.longestFirst().map(copyLifecycle),
    inFlight: oldestOpen(fold),
    inFlightTotal: fold.openCount,
    forgotten: { processes: sums.processes.evicted, addresses: sums.addresses.evicted, lateSteps: fold.late },
  };
}

function releaseOf(sums: Aggregate): Snapshot['release'] {
  const rules = [...sums.release].sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(
    rules.map(([rule, { count, unbounded, width, checked, outside }]) => [
      rule,
      { count, unbounded, width: width.stats(), checked, outside },
    ]),
  );
}

function processRows(sums: Aggregate): ProcessRow[] {
  const order = (x: ProcessSums, y: ProcessSums): number =>
    y.retries - x.retries || y.lifecycles - x.lifecycles || x.tgid - y.tgid;
  return [...sums.processes.values()]
    .sort(order)
    .slice(0, MAX_PROCESS_ROWS)
    .map(({ mm, mmIndex, ...row }) => row);
}

function addressRows(sums: Aggregate): AddressRow[] {
  const order = (x: AddressSums, y: AddressSums): number =>
    y.retries - x.retries || x.mm - y.mm || x.address - y.address;
  const top = [...sums.addresses.values()].sort(order).slice(0, MAX_ADDRESS_ROWS);
  return top.map(({ closed, ...row }) => {
    const open = row.lifecycles - closed;
    return {
      ...row,
      byCause: { ...row.byCause },
      byEnd: open > 0 ? { ...row.byEnd, 'in-flight': open } : { ...row.byEnd },
    };
  });
}

function oldestOpen(fold: LifecycleFold): Lifecycle[] {
  const out: Lifecycle[] = [];
  for (const fault of fold.open()) {
    if (out.length === KEPT_LIFECYCLES) break;
    out.push(inFlight(fault));
  }
  return out;
}

/** A copy of a lifecycle that is not over, with what it does now in words. */
export function inFlight(fault: FaultRecord): Lifecycle {
  const copy = copyLifecycle(fault);
  copy.state = describeState(fault);
  return copy;
}
