// SPDX-License-Identifier: MIT
/** Compares what the daemon counted with what was sent, exactly. */
import { byLabel, type Scraped } from '../metrics/scrape.js';
import type { Sent } from './send.js';

/** What does not agree, in words. */
export function booksOf({ rounds, round }: Sent, metrics: Scraped): string[] {
  const findings: string[] = [];
  const equal = (what: string, seen: number | undefined, expected: number): void => {
    if (seen !== expected) findings.push(`${what}: ${seen}, and ${expected} were sent`);
  };
  const label = (name: string): Record<string, number> => byLabel(metrics, `vmalocktop_${name}`);
  const events = label('events_total');
  for (const state of ['emitted', 'decoded', 'dropped'] as const)
    equal(`records ${state}`, events[state], rounds * round.events[state]);
  equal('emitted - decoded - dropped', (events.emitted ?? 0) - (events.decoded ?? 0) - (events.dropped ?? 0), 0);
  const { vmaLock, kernelMode } = round.counts;
  const faults = label('faults_total');
  for (const [outcome, count] of Object.entries({ ...vmaLock, kernel_mode: kernelMode }))
    if (count !== null) equal(`faults ${outcome}`, faults[outcome], rounds * count);
  // A round's threads leave some faults open. They are open still, or were given up to make room.
  const { 'in-flight': open, incomplete, ...ended } = round.lifecycles.byEnd;
  const flying = metrics.get('vmalocktop_lifecycles_in_flight') ?? Number.NaN;
  const evicted = metrics.get('vmalocktop_lifecycles_evicted_total') ?? Number.NaN;
  equal('lifecycles open or given up', flying + evicted, rounds * open);
  const ends = label('lifecycles_total');
  equal('lifecycles incomplete', ends.incomplete, rounds * incomplete + evicted);
  for (const [end, count] of Object.entries(ended)) equal(`lifecycles ${end}`, ends[end], rounds * count);
  return findings;
}
