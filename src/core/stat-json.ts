// SPDX-License-Identifier: MIT
/**
 * The document behind `--json`. Keys come in a fixed order. Counts and durations are numbers (ns, below 2^53);
 * what can be larger (sums over many threads, addresses, identities) is a string; what is not known is null.
 */
import type { AddressRow, Snapshot, WaitStats } from './snapshot.js';

const MAX_ADDRESSES = 50;

/** A u64 as decimal string: a double may have rounded it, and never prints as 1e21. */
function u64(value: number): string {
  return BigInt(Math.round(value)).toString();
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function wait(stats: WaitStats): object {
  return {
    count: stats.count,
    sumNs: u64(stats.sumNs),
    p50Ns: known(stats.p50Ns),
    p99Ns: known(stats.p99Ns),
    maxNs: known(stats.maxNs),
  };
}

function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([x], [y]) => (x < y ? -1 : 1)));
}

function address(row: AddressRow): object {
  return {
    address: hex(row.address),
    mm: hex(row.mm),
    tgid: row.tgid,
    comm: row.comm,
    lifecycles: row.lifecycles,
    retries: row.retries,
    joined: row.joined,
    byCause: sorted(row.byCause),
    byEnd: sorted(row.byEnd),
  };
}

export function statJson(snapshot: Snapshot): object {
  const { session, counts, events, lifecycles, retry, swap, overhead } = snapshot;
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
      },
      mmapLock: counts.mmapLock,
      kernelMode: counts.kernelMode,
      gup: counts.gup,
      kthreadSwap: counts.kthreadSwap,
    },
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
      unknownBy: sorted(retry.unknownBy),
      joined: retry.joined,
      avoidable: retry.avoidable,
      notAvoidable: retry.notAvoidable,
      unknown: retry.unknown,
    },
    abort: { total: snapshot.abort.total, byCause: sorted(snapshot.abort.byCause) },
    waits: {
      folio: wait(snapshot.waits.folio),
      mmapLock: wait(snapshot.waits.mmapLock),
      userfault: wait(snapshot.waits.userfault),
      // Writers' waits are not observed.
      writer: null,
    },
    releaseRules: Object.fromEntries(
      Object.entries(snapshot.release).map(([rule, { count, unbounded, width, checked, outside }]) => [
        rule,
        { count, unbounded, width: wait(width), checked, outside },
      ]),
    ),
    swap: {
      faults: swap.faults,
      synchronous: swap.synchronous,
      asynchronous: swap.asynchronous,
      lockOrRetry: { calls: swap.lockOrRetry.calls, retry: swap.lockOrRetry.retry, locked: swap.lockOrRetry.locked },
      devices: swap.devices.map(({ type, synchronous, faults, retries }) => ({ type, synchronous, faults, retries })),
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
    addresses: snapshot.addresses.slice(0, MAX_ADDRESSES).map(address),
    forgotten: snapshot.forgotten ?? null,
  };
}
