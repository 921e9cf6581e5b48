// SPDX-License-Identifier: MIT
/** What came out, in sentences. Only what was counted: a figure that is not known is said not to be. */

import type { Snapshot } from '../core/aggregate/snapshot.js';
import { formatDuration, formatExact, formatRate, formatShare } from '../core/present/format.js';
import { CAUSES } from '../core/vocabulary/causes.js';
import { WAIT_FACTS, WAIT_KINDS } from '../core/vocabulary/waits.js';

export function summary(snapshot: Snapshot): string[] {
  return [faults(snapshot), retries(snapshot), waits(snapshot), counterfactual(snapshot), losses(snapshot)].filter(
    (sentence) => sentence !== '',
  );
}

/** A figure and its unit stay on one line. */
export function unbroken(sentence: string): string {
  return sentence.replace(/(\d) (ns|µs|ms|s|m)\b/g, '$1\u00a0$2');
}

function faults({ counts, durationNs }: Snapshot): string {
  if (counts.faults === 0) return 'No page fault was counted.';
  const { vmaLock } = counts;
  const seconds = durationNs / 1e9;
  const parts = [
    `${formatExact(counts.faults)} page faults in ${formatDuration(durationNs)} (${formatRate(seconds > 0 ? counts.faults / seconds : Number.NaN)}).`,
    `${formatShare(vmaLock.success / counts.faults)} of them were done under the VMA lock`,
    vmaLock.retry > 0
      ? `, ${formatShare(vmaLock.retry / counts.faults)} returned RETRY and fell back to mmap_lock`
      : '',
    vmaLock.abort > 0 ? `, ${formatShare(vmaLock.abort / counts.faults)} found no VMA lock to take (ABORT)` : '',
    '.',
  ];
  return `${parts[0]} ${parts.slice(1).join('')}`;
}

function retries({ retry, causeCosts }: Snapshot): string {
  if (retry.total === 0) return '';
  const causes = Object.entries(retry.byCause)
    .filter(([, count]) => count > 0)
    .sort(([, x], [, y]) => y - x);
  const [first] = causes;
  if (first === undefined) return '';
  const cost = causeCosts[CAUSES.find((cause) => cause === first[0]) ?? 'unknown'];
  const price =
    cost === undefined
      ? ''
      : ` From the failed attempt on, its faults took ${formatDuration(cost.lostNs / cost.faults)} on average.`;
  const others =
    causes.length === 1 ? '' : ` ${causes.length - 1} other ${causes.length === 2 ? 'cause was' : 'causes were'} seen.`;
  return `The most frequent cause of a RETRY was “${first[0]}”: ${formatShare(first[1] / retry.total)} of ${formatExact(retry.total)}.${price}${others}`;
}

function waits(snapshot: Snapshot): string {
  const [longest] = WAIT_KINDS.map((kind) => ({ kind, stats: snapshot.waits[kind] }))
    .filter(({ stats }) => stats.count > 0)
    .sort((x, y) => y.stats.sumNs - x.stats.sumNs);
  if (longest === undefined) return 'No fault was seen to wait.';
  const { kind, stats } = longest;
  return `Most time went into one wait, ${WAIT_FACTS[kind].title}: ${formatDuration(stats.sumNs)} in ${formatExact(stats.count)}, half of them longer than ${formatDuration(stats.p50Ns)}, one in a hundred longer than ${formatDuration(stats.p99Ns)}, the longest ${formatDuration(stats.maxNs)}.`;
}

function counterfactual({ counterfactual: { all } }: Snapshot): string {
  if (all.retries === 0) return '';
  const { avoidable, unknown } = all.verdicts;
  const judged = all.retries - unknown;
  if (judged === 0) return 'Whether the retries were avoidable is not known of any of them.';
  const stall =
    all.stall.basis === 'none'
      ? 'how long writers would have stalled for it is not known'
      : `writers would have stalled ${all.stall.basis === 'exact' ? '' : 'at most '}${formatDuration(all.stall.basis === 'exact' ? all.stall.exactNs : all.stall.boundNs)} had the lock been kept over the waits`;
  return `Of ${formatExact(judged)} retries that could be judged, ${formatExact(avoidable)} (${formatShare(avoidable / judged)}) were avoidable: another try under the VMA lock would have found the same VMA, not write-locked meanwhile, and saved ${all.savedNs === null ? 'an unknown time' : formatDuration(all.savedNs)} of queueing for mmap_lock; ${stall}.`;
}

function losses({ events, lifecycles, ended }: Snapshot): string {
  const lost: string[] = [];
  if (events.dropped > 0) lost.push(`${formatExact(events.dropped)} events were dropped because the ring was full`);
  if (events.missed > 0) lost.push(`${formatExact(events.missed)} program runs were missed by the kernel`);
  if (lifecycles.incomplete > 0)
    lost.push(`${formatExact(lifecycles.incomplete)} of ${formatExact(lifecycles.total)} lifecycles lack steps`);
  if (!ended) lost.push('the recording was cut off');
  return lost.length === 0 ? 'Nothing was lost.' : `What is missing: ${lost.join('; ')}.`;
}
