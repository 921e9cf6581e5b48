// SPDX-License-Identifier: MIT
/** Builds the `Snapshot` from the sums. Everything in it is a copy: later steps do not change an earlier snapshot. */

import { VlCounter } from '../../schema/events.gen.js';
import type { Names } from '../events/names.js';
import type { SessionInfo } from '../events/session.js';
import { copyLifecycle } from '../lifecycle/copy-lifecycle.js';
import type { LifecycleFold } from '../lifecycle/fold.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { describeState } from '../lifecycle/state-text.js';
import type { WaitName } from '../vocabulary/waits.js';
import type { Aggregate } from './aggregate.js';
import type { LockNowRow } from './blocker-rows.js';
import { cgroupRows } from './cgroups.js';
import type { Counters } from './counters.js';
import type { Figures } from './figures.js';
import type { Distribution, Histogram } from './histogram.js';
import { mmapLockOf, otherUsersOf, whyNoBlockers } from './mmap-lock.js';
import { reconcile, vmaAttempts, vmaLockCounts } from './outcomes.js';
import { KEPT_LIFECYCLES } from './recent.js';
import type { Snapshot } from './snapshot.js';
import { mappingsOf, stacksOf } from './snapshot-names.js';
import type { WaitStats } from './snapshot-rows.js';
import { NO_TIMELINES } from './timeline.js';
import { addressRows, deviceRows, MAX_CGROUP_ROWS, MAX_PROCESS_ROWS, processRows } from './top-rows.js';

export interface SnapshotInputs {
  readonly session: SessionInfo;
  readonly time: number;
  readonly ended: boolean;
  readonly fold: LifecycleFold;
  readonly sums: Aggregate;
  readonly counters: Counters;
  readonly names: Names;
  /** Time of the latest counters. */
  readonly sampled: number;
}

/** Without the lists, which take most of the time. */
export function makeFigures(inputs: SnapshotInputs): Figures {
  return make(inputs, false);
}

export function makeSnapshot(inputs: SnapshotInputs): Snapshot {
  return make(inputs, true);
}

/** Without lists, what is not in `Figures` is empty. */
function make(inputs: SnapshotInputs, lists: boolean): Snapshot {
  const { session, time, ended, fold, sums, counters, names } = inputs;
  const kernel = (counter: number): number => counters.kernel[counter] ?? 0;
  const vmaLock = vmaLockCounts(session, kernel);
  const events = counters.events(ended);
  const kernelMode = kernel(VlCounter.KERNEL);
  const byEnd = { ...sums.byEnd, 'in-flight': fold.openCount };
  const { counterfactual } = sums;
  const cgroups = lists ? cgroupRows(sums.cgroups.values(), sums.processes.values(), names, time) : [];
  const waits: Readonly<Record<WaitName, Histogram>> = {
    ...sums.waits.byKind,
    mmapLockQueued: sums.waits.mmapLockQueued,
    writer: sums.writers.wait,
    vmaWrite: sums.writers.vmaWait,
  };
  const provisional = counterfactual.provisional(fold.open(), time);
  const all = counterfactual.row('all', counterfactual.all, provisional);
  const writers = sums.writers.rows(session.arch);
  const blockers = {
    known: whyNoBlockers(session) === '',
    rows: lists ? sums.blockers.rows() : [],
    ...sums.blockers.waits(),
    convoys: sums.blockers.convoys,
    now: sums.blockers.now(inputs.sampled),
  };
  const causeStacks = lists ? sums.causeStacks.rows() : [];
  const latest = sums.latest.newestFirst();
  const slowest = lists ? sums.slowest.longestFirst() : [];
  const examples = lists ? sums.examples.besides([...latest, ...slowest]).map(copyLifecycle) : [];
  const open = oldestOpen(fold, holderIn(blockers.now));
  return {
    session,
    time,
    durationNs: time,
    ended,
    counts: {
      faults: vmaAttempts(vmaLock) + vmaLock.abort + kernelMode,
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
    vmstat: reconcile(session, vmaLock, kernel, counters.vmstat, {
      missed: events.missed,
      failedAgain: sums.secondTries.failedAgain(sums.joins),
    }),
    events: { ...events, stateLost: kernel(VlCounter.STATE_LOST) + kernel(VlCounter.NESTED_LOST) },
    lifecycles: { total: sums.opens, byEnd, incomplete: byEnd.incomplete, evicted: fold.evicted },
    retry: {
      total: sums.retries,
      byCause: { ...sums.causes.retries },
      undecided: { ...sums.causes.undecided.retries },
      unknownBy: { ...sums.causes.unknownBy },
      avoidable: all.verdicts.avoidable,
      notAvoidable: all.retries - all.verdicts.avoidable - all.verdicts.unknown,
      unknown: all.verdicts.unknown,
      joined: sums.joins,
      secondTries: { ...sums.secondTries },
    },
    abort: {
      total: sums.aborts,
      byCause: { ...sums.causes.aborts },
      undecided: { ...sums.causes.undecided.aborts },
    },
    waits: statsOf(waits),
    distributions: copiesOf(waits),
    held: statsOf(sums.waits.held),
    mmapLock: mmapLockOf(session, counters.kernel),
    writers,
    blockers,
    counterfactual: {
      all,
      byCause: counterfactual.causeRows(provisional),
      byProcess: counterfactual.processRows(sums.processes.values(), provisional, names.processes),
    },
    progress: sums.progress.stats(kernel(VlCounter.SWAP_COUNTED) === 0),
    otherUsers: otherUsersOf(session, counters.kernel),
    names: { missing: [...names.missing], failedStacks: { ...names.failedStacks } },
    stacks: lists ? stacksOf(names, blockers.rows, writers, causeStacks) : {},
    causeStacks,
    handlers: lists ? sums.handlers.rows(names) : [],
    release: releaseOf(sums),
    swap: {
      faults: session.minUs > 0 ? null : sums.swapFaults,
      calls: kernel(VlCounter.SWAP),
      synchronous: kernel(VlCounter.SWAP_SYNC),
      asynchronous: kernel(VlCounter.SWAP_ASYNC),
      lockOrRetry: {
        calls: kernel(VlCounter.FLOR),
        retry: kernel(VlCounter.FLOR_RETRY),
        locked: kernel(VlCounter.FLOR_LOCKED),
      },
      devices: deviceRows(sums, names),
      followed: kernel(VlCounter.SWAP_FOLLOWED),
      sampled: kernel(VlCounter.SWAP_SAMPLED),
      lost: kernel(VlCounter.SWAP_LOST),
      counted: {
        total: kernel(VlCounter.SWAP_COUNTED),
        faults: sums.counted.faults,
        rows: lists ? sums.counted.rows(MAX_PROCESS_ROWS) : [],
      },
    },
    kernelHist: counters.kernelHist(),
    overhead: counters.overhead(),
    ringUsedBytes: counters.self[3] ?? 0,
    processes: processRows(sums, names, lists),
    cgroups: cgroups.slice(0, MAX_CGROUP_ROWS),
    addresses: lists ? addressRows(sums, names) : [],
    vmas: lists ? sums.vmas.top(names) : [],
    totals: { processes: sums.processes.size, cgroups: cgroups.length, vmas: sums.vmas.size },
    causeCosts: lists ? sums.causeCosts.copy() : {},
    timeline: lists ? sums.timeline.preview(inputs.sampled, counters.outcomes()) : NO_TIMELINES,
    latest: latest.map(copyLifecycle),
    slowest: slowest.map(copyLifecycle),
    examples,
    inFlight: open,
    inFlightTotal: fold.openCount,
    mappings: lists ? mappingsOf([...latest, ...slowest, ...examples, ...open], names) : {},
    forgotten: {
      processes: sums.processes.evicted,
      cgroups: sums.cgroups.evicted,
      addresses: sums.addresses.evicted,
      lateSteps: fold.late,
      writers: sums.writers.evicted,
      blockers: sums.blockers.evicted,
      holds: sums.blockers.late,
      windows: counterfactual.stalls.lateMoments,
      writerEvents: counterfactual.stalls.lateWindows,
      folios: sums.progress.evicted,
      names: names.evicted,
    },
  };
}

function releaseOf(sums: Aggregate): Snapshot['release'] {
  const rules = [...sums.releases.byRule].sort(([x], [y]) => (x < y ? -1 : 1));
  return Object.fromEntries(
    rules.map(([rule, { count, unbounded, width, checked, outside }]) => [
      rule,
      { count, unbounded, width: width.stats(), checked, outside },
    ]),
  );
}

function statsOf<K extends string>(histograms: Readonly<Record<K, Histogram>>): Record<K, WaitStats> {
  const entries = Object.entries<Histogram>(histograms).map(([key, histogram]) => [key, histogram.stats()]);
  return Object.fromEntries(entries) as Record<K, WaitStats>;
}

function copiesOf<K extends string>(histograms: Readonly<Record<K, Histogram>>): Record<K, Distribution> {
  const entries = Object.entries<Histogram>(histograms).map(([key, histogram]) => [key, histogram.copy()]);
  return Object.fromEntries(entries) as Record<K, Distribution>;
}

/** Who holds the mmap_lock of an mm now, and has for longest. */
function holderIn(now: readonly LockNowRow[]): (mm: number) => string {
  return (mm) => {
    const row = now.find((it) => !it.isWaiting && it.mm === mm);
    return row === undefined ? '' : `${row.comm} ${row.tgid} (${row.what})`;
  };
}

function oldestOpen(fold: LifecycleFold, holderOf: (mm: number) => string): Lifecycle[] {
  const out: Lifecycle[] = [];
  for (const fault of fold.open()) {
    if (out.length === KEPT_LIFECYCLES) break;
    out.push(inFlight(fault, holderOf));
  }
  return out;
}

/** A copy of a lifecycle that is not over, with what it does now in words. */
export function inFlight(fault: FaultRecord, holderOf?: (mm: number) => string): Lifecycle {
  const copy = copyLifecycle(fault);
  copy.state = describeState(fault, holderOf);
  return copy;
}
