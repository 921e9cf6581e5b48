// SPDX-License-Identifier: MIT
/** What a session comes to, in two sentences: how much fell back to mmap_lock, and what most of that time came from. */
import type { CauseCost } from '../aggregate/cause-costs.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import { type Cause, factsOf } from '../vocabulary/causes.js';
import { formatDuration, formatExact, formatShare } from './format.js';

/** A sentence as it goes on after a colon. */
function goesOn(sentence: string): string {
  return /^[A-Z][a-z ]/.test(sentence) ? `${sentence[0]?.toLowerCase()}${sentence.slice(1)}` : sentence;
}

const times = (n: number, what: string): string => `${formatExact(n)} ${what}${n === 1 ? '' : 's'}`;

/** The two sentences; both are true of what was seen, and say so where something was not. */
export function conclusion(snapshot: Snapshot): readonly [string, string] {
  const { counts, causeCosts, events, durationNs } = snapshot;
  const { vmaLock } = counts;
  const tried = vmaLock.success + vmaLock.retry + vmaLock.completed + vmaLock.error + vmaLock.abort;
  const fellBack = vmaLock.retry + vmaLock.abort;
  const observed = durationNs > 0 ? ` in ${formatDuration(durationNs)}` : '';
  if (tried === 0)
    return [`No page fault was tried under a VMA lock${observed}.`, 'So there is nothing to explain here.'];
  if (fellBack === 0)
    return [
      `None of ${times(tried, 'page fault')} tried under a VMA lock${observed} fell back to mmap_lock.`,
      'If threads stood still meanwhile, it was not for this.',
    ];
  const costs = Object.entries(causeCosts) as [Cause, CauseCost][];
  const lost = costs.reduce((sum, [, { lostNs }]) => sum + lostNs, 0);
  const worst = costs.reduce((most, [, { worstNs }]) => Math.max(most, worstNs), 0);
  const share = `${formatExact(fellBack)} of ${times(tried, 'page fault')} tried under a VMA lock (${formatShare(fellBack / tried)})`;
  // Sums of those that were followed are a least where records of others were lost.
  const least = events.dropped + events.stateLost > 0 ? 'at least ' : '';
  const first = `${share} fell back to mmap_lock${observed}, and took ${least}${formatDuration(lost)} more for it, the worst ${formatDuration(worst)}.`;
  const [top] = costs.toSorted(([, a], [, b]) => b.lostNs - a.lostNs);
  if (top === undefined || lost === 0)
    return [first, 'None of them was followed to its end, so what it cost is not known.'];
  const [cause, { lostNs, faults }] = top;
  return [
    first,
    `The largest part of that time, ${formatShare(lostNs / lost)}, went to ${times(faults, 'fault')} of “${cause}”: ${goesOn(factsOf(cause).process)}`,
  ];
}
