// SPDX-License-Identifier: MIT
/** What the figures of `verdict` come to, in sentences. */

import type { Interval } from '../lifecycle/lifecycle.js';
import { formatDuration, formatExact, formatInterval, formatShare } from '../present/format.js';
import { ALTERNATIVES, type Alternative } from './policies.js';
import type { Between, Spread, UnderRow, VerdictReport } from './report.js';

/** Runs of one workload on one kernel differ by about a tenth: less than this share of the faults' time is not measurable. */
export const TELLABLE = 0.1;

type Figures = Omit<VerdictReport, 'conclusions'>;

/** Both ends, or one where three digits do not distinguish them. */
function endsOf(lo: number, hi: number): string {
  return formatDuration(lo) === formatDuration(hi) ? formatDuration(hi) : formatInterval({ lo, hi });
}

export const between = ({ least, most }: Between): string => endsOf(least.sumNs, most.sumNs);
const plural = (n: number, one: string, more: string): string => `${formatExact(n)} ${n === 1 ? one : more}`;

function spreadWords({ p50Ns, p99Ns, maxNs, sumNs }: Spread): string {
  const ns = (value: number | null): string => formatDuration(value ?? Number.NaN);
  return `p50 ${ns(p50Ns)}, p99 ${ns(p99Ns)}, max ${ns(maxNs)}, sum ${ns(sumNs)}`;
}

function writersWords(report: Figures, name: Alternative): string {
  const { stalls } = report.all.under[name];
  if (stalls === null) return 'whether writers would stall is not known: no hook shows them';
  const { forks } = report.writers[name];
  const unknown = stalls.windowsUnknown === 0 ? '' : `; ${plural(stalls.windowsUnknown, 'wait', 'waits')} not bounded`;
  if (stalls.count === 0) return `no writer seen would stall${unknown}`;
  const most = report.basis === 'bound' ? 'at most ' : '';
  const apart =
    forks.count === 0
      ? 'none of them a fork'
      : `${plural(forks.count, 'fork', 'forks')} for ${formatDuration(forks.sumNs)}`;
  return `${most}${plural(stalls.count, 'writer', 'writers')} would stall for ${formatDuration(stalls.sumNs)} in all, ${apart}${unknown}`;
}

function savesWords(report: Figures, name: Alternative): string {
  const { all } = report;
  const { saved, lost, courses } = all.under[name];
  const share = (ns: number): string => formatShare(all.tookNs === 0 ? 0 : ns / all.tookNs);
  const [least, most] = [share(saved.least.sumNs), share(saved.most.sumNs)];
  const shares = least === most ? most : `${least} to ${most}`;
  const vain = courses.vain === 0 ? '' : ` and make ${plural(courses.vain, 'second try', 'second tries')} in vain`;
  const small =
    all.tookNs > 0 && Math.max(saved.most.sumNs, lost?.most.sumNs ?? 0) < TELLABLE * all.tookNs
      ? ': less than a tenth, which runs of one workload differ by anyway, so no measurable difference'
      : '';
  const behind =
    lost === null || lost.most.count === 0
      ? ''
      : `; ${plural(lost.most.count, 'fault', 'faults')} that came meanwhile would lose ${lost.least.sumNs < lost.most.sumNs ? 'at most ' : ''}${formatDuration(lost.most.sumNs)}, ${share(lost.most.sumNs)}, behind stalled writers`;
  return `faults would save ${between(saved)}, ${shares} of what they took${vain}${behind}${small}`;
}

/** What faults gain and lose, summed: both ends, ns. */
export function netOf({ saved, lost }: Pick<UnderRow, 'saved' | 'lost'>): Interval {
  return {
    lo: saved.least.sumNs - (lost?.most.sumNs ?? 0),
    hi: saved.most.sumNs - (lost?.least.sumNs ?? 0),
  };
}

function compared(report: Figures): string {
  const [retry, keep] = [netOf(report.all.under.retry), netOf(report.all.under.keep)];
  const tellable = TELLABLE * report.all.tookNs;
  if (keep.lo - retry.hi > tellable)
    return `Between them: keep saves faults ${endsOf(keep.lo - retry.hi, keep.hi - retry.lo)} more than retry.`;
  if (retry.lo - keep.hi > tellable)
    return `Between them: retry saves faults ${endsOf(retry.lo - keep.hi, retry.hi - keep.lo)} more than keep.`;
  if (Math.max(keep.hi - retry.lo, retry.hi - keep.lo) > tellable)
    return 'Between them: which is better for faults cannot be told.';
  return 'Between them: no measurable difference for faults.';
}

function ownPolicy({ policy, observed, writersToday }: Figures): readonly string[] {
  const note = 'These faults never fell back as today does, so what today would have cost them is not predicted.';
  if (policy === 'retry') {
    const { secondTries, secondOk, secondRetry, secondAbort } = observed;
    return [
      `This kernel tries once more under the VMA lock by itself: ${plural(secondTries, 'second try', 'second tries')}, ${formatExact(secondOk)} done there, ${formatExact(secondRetry)} given up again, ${formatExact(secondAbort)} without the VMA lock.`,
      note,
    ];
  }
  return [
    `This kernel keeps the VMA lock over waits for folios by itself: ${plural(observed.waitsKept.count, 'wait', 'waits')} with the lock held, ${spreadWords(observed.waitsKept)}.`,
    writersToday.vma.count === 0
      ? 'No writer was seen to wait for the readers of a VMA.'
      : `Writers that came for a VMA beside them waited for its readers: ${plural(writersToday.vma.count, 'time', 'times')}, ${spreadWords(writersToday.vma)}.`,
    note,
  ];
}

export function conclusions(report: Figures): readonly string[] {
  const { all, policy } = report;
  if (policy === 'retry' || policy === 'keep') return ownPolicy(report);
  if (all.retries === 0) return ['No fault that was followed returned RETRY: here the policies do not differ.'];
  const queued =
    all.queued.most.sumNs === 0
      ? 'none of it queued for mmap_lock'
      : `${between(all.queued)} of it queued for mmap_lock`;
  return [
    `Today: ${plural(all.retries, 'fault', 'faults')} fell back or were about to; they took ${formatDuration(all.tookNs)}, ${queued}.`,
    ...ALTERNATIVES.map((name) => `${name}: ${savesWords(report, name)}; ${writersWords(report, name)}.`),
    compared(report),
  ];
}
