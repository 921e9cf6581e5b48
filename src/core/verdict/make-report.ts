// SPDX-License-Identifier: MIT
/** The report of `verdict`, from its sums. */
import { Histogram } from '../aggregate/histogram.js';
import { RETRY_CAUSES } from '../vocabulary/causes.js';
import { isFork } from '../vocabulary/lock-users.js';
import { syscallName } from '../vocabulary/syscalls.js';
import { barsOf } from './bars.js';
import { conclusions } from './conclusions.js';
import { ALTERNATIVES, type Alternative, ASSUMPTIONS } from './policies.js';
import type { PolicyStalls, StalledWriter, StallSums } from './policy-stalls.js';
import type { Spread, StalledWriterRow, StallReport, UnderRow, VerdictReport, VerdictRow } from './report.js';
import type { UnderSums, VerdictSums } from './sums.js';
import type { Verdict } from './verdict.js';

/** Rows of processes and of writers in the document. */
const MAX_ROWS = 64;
const MAX_VMAS = 5;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

function spreadOf(histogram: Histogram): Spread {
  const { count, sumNs, p50Ns, p99Ns, maxNs } = histogram.stats();
  return { count, sumNs, p50Ns: finite(p50Ns), p99Ns: finite(p99Ns), maxNs: finite(maxNs) };
}

function underRow(sums: UnderSums, stall: StallSums, basis: Verdict['basis']): UnderRow {
  return {
    courses: { ...sums.courses },
    saved: { least: spreadOf(sums.least), most: spreadOf(sums.most) },
    lost: basis === 'none' ? null : { least: spreadOf(sums.lost), most: spreadOf(sums.lostMost) },
    why: Object.fromEntries([...sums.why].sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1))),
    stalls: basis === 'none' ? null : { ...spreadOf(stall.stalls), windowsUnknown: stall.unknown },
  };
}

function rowOf(key: string, sums: VerdictSums, verdict: Verdict): VerdictRow {
  const stallOf = (name: Alternative): StallSums =>
    sums === verdict.all ? verdict.stalls[name].all : sums.under[name].stall;
  return {
    key,
    retries: sums.retries,
    tookNs: sums.totalNs,
    queued: { least: spreadOf(sums.queuedLeast), most: spreadOf(sums.queuedMost) },
    queuedUnknown: sums.queuedUnknown,
    lookupNs: sums.lookupNs,
    laterWaits: sums.laterWaits,
    under: Object.fromEntries(
      ALTERNATIVES.map((name) => [name, underRow(sums.under[name], stallOf(name), verdict.basis)]),
    ) as Record<Alternative, UnderRow>,
  };
}

function writerRow(row: StalledWriter, arch: string): StalledWriterRow {
  const syscall = syscallName(row.syscall, arch);
  const vmas = [...row.vmas.values()].sort((x, y) => y.ns - x.ns || x.start - y.start).slice(0, MAX_VMAS);
  return {
    tgid: row.tgid,
    comm: row.comm,
    syscall,
    fork: isFork(syscall),
    stalls: spreadOf(row.stalls),
    vmas: vmas.map(({ start, end, stalls, ns }) => ({
      start: `0x${start.toString(16)}`,
      end: `0x${end.toString(16)}`,
      stalls,
      sumNs: ns,
    })),
  };
}

function stallReport(policy: PolicyStalls, arch: string): StallReport {
  const rows = [...policy.rows.values()].sort((x, y) => y.stalls.sum - x.stalls.sum || x.tgid - y.tgid);
  const merged = { forks: new Histogram(), others: new Histogram() };
  for (const row of rows) merged[isFork(syscallName(row.syscall, arch)) ? 'forks' : 'others'].merge(row.stalls);
  return {
    rows: rows.slice(0, MAX_ROWS).map((row) => writerRow(row, arch)),
    forks: spreadOf(merged.forks),
    others: spreadOf(merged.others),
    inversions: { ...policy.inversions },
    forgotten:
      policy.late +
      policy.rows.evicted +
      policy.stalls.lateMoments +
      policy.stalls.lateWindows +
      policy.behind.forgotten,
  };
}

/** Of a verdict that is finished. */
export function reportOf(verdict: Verdict): VerdictReport {
  const snapshot = verdict.pipeline.snapshot();
  const { session, all, byCause, byProcess, observed, basis, queueSeen, writers } = verdict;
  const { counts, events, waits } = snapshot;
  const attempts = counts.vmaLock;
  const processes = [...byProcess.values()].sort(
    (x, y) => y.sums.queuedMost.sum - x.sums.queuedMost.sum || y.sums.retries - x.sums.retries || x.tgid - y.tgid,
  );
  const spread = ({ count, sumNs, p50Ns, p99Ns, maxNs }: typeof waits.writer): Spread => ({
    count,
    sumNs,
    p50Ns: finite(p50Ns),
    p99Ns: finite(p99Ns),
    maxNs: finite(maxNs),
  });
  const chartsOf = (name: Alternative): VerdictReport['charts'][Alternative] => ({
    saved: barsOf(all.under[name].most),
    stalls: barsOf(verdict.stalls[name].all.stalls),
  });
  const report: Omit<VerdictReport, 'conclusions'> = {
    v: 1,
    host: session.host,
    kernel: session.kernel,
    arch: session.arch,
    cpus: session.cpus,
    durationNs: snapshot.durationNs,
    scope: session.scope,
    events: { emitted: events.emitted, decoded: events.decoded, dropped: events.dropped, missed: events.missed },
    faults: {
      all: counts.faults,
      underVmaLock: attempts.success + attempts.completed + attempts.error,
      retry: attempts.retry,
      abort: attempts.abort,
    },
    policy: observed.policy,
    observed: {
      secondTries: observed.secondTries,
      secondOk: observed.secondOk,
      secondRetry: observed.secondRetry,
      secondAbort: observed.secondAbort,
      waitsDropped: observed.dropped,
      waitsKept: spreadOf(observed.kept),
    },
    basis,
    queueSeen,
    all: rowOf('all', all, verdict),
    byCause: RETRY_CAUSES.flatMap((cause) => {
      const sums = byCause.get(cause);
      return sums === undefined ? [] : [rowOf(cause, sums, verdict)];
    }),
    byProcess: processes.slice(0, MAX_ROWS).map(({ tgid, comm, sums }) => rowOf(`${tgid} ${comm}`, sums, verdict)),
    processesForgotten: byProcess.evicted,
    writers: Object.fromEntries(
      ALTERNATIVES.map((name) => [name, stallReport(verdict.stalls[name], session.arch)]),
    ) as Record<Alternative, StallReport>,
    writersToday: {
      waited: writers.waited,
      inverted: writers.inverted,
      mmapLock: spread(waits.writer),
      vma: spread(waits.vmaWrite),
    },
    assumptions: ASSUMPTIONS,
    charts: { retry: chartsOf('retry'), keep: chartsOf('keep') },
    queuedChart: barsOf(all.queuedMost),
  };
  return { ...report, conclusions: conclusions(report) };
}
