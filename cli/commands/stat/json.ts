// SPDX-License-Identifier: MIT
/**
 * The document behind `--json`. Keys come in a fixed order. Counts and durations are numbers (ns, below 2^53);
 * what can be larger (sums over many threads, addresses, identities) is a string; what is not known is null.
 */
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import { cgroupFields } from '../../../src/core/present/fields/cgroup.js';
import { jsonOf } from '../../../src/core/present/fields/field.js';
import { processFields } from '../../../src/core/present/fields/process.js';
import { sorted, u64, wait } from '../../../src/core/present/json-values.js';
import { blockersJson } from './blockers.js';
import {
  addressJson,
  counterfactualJson,
  mmapLockJson,
  otherUsersJson,
  vmaJson,
  waitsJson,
  writerJson,
} from './json-rows.js';

const MAX_ADDRESSES = 50;
export const MAX_PROCESSES = 50;

export function statJson(snapshot: Snapshot): object {
  const { session, counts, events, lifecycles, retry, abort, swap, overhead, progress } = snapshot;
  const accounted = swap.calls === 0 || swap.followed + swap.counted.total + swap.lost > 0 || null;
  return {
    v: 1,
    tool: session.tool,
    host: session.host,
    kernel: session.kernel,
    arch: session.arch,
    cpus: session.cpus,
    preemption: session.preemption,
    scope: session.scope,
    minUs: session.minUs,
    filters: sorted(session.filters),
    durationNs: snapshot.durationNs,
    ended: snapshot.ended,
    release: session.release,
    hooks: session.hooks.map(({ target, attached, note }) => ({ target, attached, note })),
    counts: {
      faults: counts.faults,
      vmaLock: {
        success: counts.vmaLock.success,
        retry: counts.vmaLock.retry,
        completed: counts.vmaLock.completed,
        abort: counts.vmaLock.abort,
        error: counts.vmaLock.error,
        accessError: counts.vmaLock.accessError,
      },
      mmapLock: counts.mmapLock,
      kernelMode: counts.kernelMode,
      gup: counts.gup,
      kthreadSwap: counts.kthreadSwap,
    },
    vmstat:
      snapshot.vmstat &&
      Object.fromEntries(
        snapshot.vmstat.map(({ line, counted, least, most, difference, why }) => [
          line,
          { counted, least, most, difference, why },
        ]),
      ),
    events: {
      emitted: events.emitted,
      decoded: events.decoded,
      dropped: events.dropped,
      missed: events.missed,
      stateLost: events.stateLost,
      perKind: { ...events.perKind },
    },
    lifecycles: {
      total: lifecycles.total,
      byEnd: { ...lifecycles.byEnd },
      incomplete: lifecycles.incomplete,
      evicted: lifecycles.evicted,
    },
    retry: {
      total: retry.total,
      byCause: { ...retry.byCause },
      undecided: sorted(retry.undecided),
      unknownBy: sorted(retry.unknownBy),
      joined: retry.joined,
      secondTries: retry.secondTries,
      avoidable: retry.avoidable,
      notAvoidable: retry.notAvoidable,
      unknown: retry.unknown,
    },
    abort: { total: abort.total, byCause: sorted(abort.byCause), undecided: sorted(abort.undecided) },
    costs: Object.fromEntries(
      Object.entries(snapshot.causeCosts).map(([cause, { faults, lostNs, worstNs }]) => [
        cause,
        { faults, lostNs: u64(lostNs), worstNs },
      ]),
    ),
    waits: waitsJson(snapshot),
    held: {
      vma: wait(snapshot.held.vma),
      mmap: wait(snapshot.held.mmap),
      none: wait(snapshot.held.none),
      unknown: wait(snapshot.held.unknown),
    },
    mmapLock: mmapLockJson(snapshot),
    blockers: blockersJson(snapshot),
    writers: snapshot.writers.map(writerJson),
    processes: snapshot.processes.slice(0, MAX_PROCESSES).map((row) => jsonOf(processFields, row)),
    cgroups: snapshot.cgroups.slice(0, MAX_PROCESSES).map((row) => jsonOf(cgroupFields, row)),
    vmas: snapshot.vmas.slice(0, MAX_PROCESSES).map(vmaJson),
    totals: {
      processes: snapshot.totals.processes,
      cgroups: snapshot.totals.cgroups,
      vmas: snapshot.totals.vmas,
    },
    counterfactual: {
      all: counterfactualJson(snapshot.counterfactual.all),
      byCause: snapshot.counterfactual.byCause.map(counterfactualJson),
      byProcess: snapshot.counterfactual.byProcess.map(counterfactualJson),
    },
    progress: {
      pagesAgain: progress.pagesAgain,
      mostRetries: progress.mostRetries,
      again: progress.again,
      refaults: progress.refaults,
      herds: [...progress.herds],
      largestHerd: progress.largestHerd,
      folioUnknown: progress.folioUnknown,
    },
    otherUsers: otherUsersJson(snapshot),
    names: { missing: [...snapshot.names.missing], failedStacks: { ...snapshot.names.failedStacks } },
    releaseRules: Object.fromEntries(
      Object.entries(snapshot.release).map(([rule, { count, unbounded, width, checked, outside }]) => [
        rule,
        { count, unbounded, width: wait(width), checked, outside },
      ]),
    ),
    swap: {
      faults: swap.faults,
      calls: swap.calls,
      synchronous: swap.synchronous,
      asynchronous: swap.asynchronous,
      lockOrRetry: { calls: swap.lockOrRetry.calls, retry: swap.lockOrRetry.retry, locked: swap.lockOrRetry.locked },
      devices: swap.devices.map((device) => ({
        type: device.type,
        name: device.name === '' ? null : device.name,
        synchronous: device.synchronous,
        faults: device.faults,
        reads: device.reads,
        retries: device.retries,
        folioWait: wait(device.folioWait),
        syncRead: wait(device.syncRead),
      })),
      // Recordings made before have none of these.
      followed: accounted ? swap.followed : null,
      sampled: accounted ? swap.sampled : null,
      lost: accounted ? swap.lost : null,
      counted: accounted && {
        total: swap.counted.total,
        byProcess: swap.counted.faults,
        rows: swap.counted.rows.map((row) => ({
          tgid: row.tgid,
          comm: row.comm,
          cgroup: row.cgroup,
          device: row.device,
          faults: row.faults,
          reads: row.reads,
          ns: u64(row.ns),
          hist: [...row.hist],
        })),
      },
    },
    kernelHist: sorted(snapshot.kernelHist),
    overhead: {
      measuredNs: overhead.measuredNs,
      selfCpuNs: overhead.selfCpuNs,
      selfRssBytes: overhead.selfRssBytes,
      programs: overhead.programs.map(({ name, target, method, missed, runCount, runTimeNs }) => ({
        name,
        target,
        method,
        missed,
        runCount,
        runTimeNs,
      })),
    },
    addresses: snapshot.addresses.slice(0, MAX_ADDRESSES).map(addressJson),
    causeStacks: snapshot.causeStacks.map(({ cause, kernel, user, count }) => ({
      cause,
      kernel: kernel < 0 ? null : kernel,
      user: user < 0 ? null : user,
      count,
    })),
    stacks: sorted(snapshot.stacks),
    handlers: snapshot.handlers.map((handler) => ({
      address: `0x${handler.address.toString(16)}`,
      name: handler.name === '' ? null : handler.name,
      retries: handler.retries,
    })),
    forgotten: snapshot.forgotten ?? null,
  };
}
