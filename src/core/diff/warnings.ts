// SPDX-License-Identifier: MIT
/** What makes two recordings hard to compare, in words: to be read before any figure. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { SessionInfo } from '../events/session.js';
import { archName } from '../vocabulary/arch.js';

export interface Compared {
  readonly snapshot: Snapshot;
  /** How the recording was cut off, in words; null when it is whole. */
  readonly truncated: string | null;
}

const SAME: readonly (readonly [what: string, of: (session: SessionInfo) => string])[] = [
  ['kernels', (s) => s.kernel],
  ['architectures', (s) => archName(s.arch)],
  ['preemption models', (s) => s.preemption],
  ['numbers of CPUs', (s) => String(s.cpus)],
  ['scopes', (s) => s.scope],
  ['ways to find a release', (s) => s.release],
  ['wire layouts (by which causes are distinguished)', (s) => s.layout],
  ['--min-us', (s) => String(s.minUs)],
  [
    'filters',
    (s) => JSON.stringify(Object.fromEntries(Object.entries(s.filters).sort(([x], [y]) => (x < y ? -1 : 1)))),
  ],
];

/** Losses beyond this share of the events make counts differ by themselves. */
const LOSS_SHARE = 0.001;
const INCOMPLETE_SHARE = 0.01;
const LENGTH_RATIO = 3;

/** Of the first recordings of either side, then of the runs of each. */
export function warningsOf(a: readonly Compared[], b: readonly Compared[]): string[] {
  const [firstA, firstB] = [a[0], b[0]];
  if (firstA === undefined || firstB === undefined) return [];
  const warnings = differences(['A', firstA], ['B', firstB]);
  for (const [name, runs] of [['A', a] as const, ['B', b] as const]) {
    for (const [i, run] of runs.entries()) {
      const called = runs.length === 1 ? name : `run ${i + 1} of ${name}`;
      if (i > 0) warnings.push(...differences([`run 1 of ${name}`, runs[0] as Compared], [called, run]));
      warnings.push(...losses([called, run]));
    }
  }
  const lengths = [...a, ...b].map(({ snapshot }) => snapshot.durationNs);
  if (Math.max(...lengths) > LENGTH_RATIO * Math.min(...lengths))
    warnings.push('one recording is more than three times as long as the other');
  return warnings;
}

type Side = readonly [name: string, side: Compared];

function differences([nameA, a]: Side, [nameB, b]: Side): string[] {
  const [sa, sb] = [a.snapshot.session, b.snapshot.session];
  const warnings: string[] = [];
  for (const [what, of] of SAME)
    if (of(sa) !== of(sb)) warnings.push(`${what} differ: ${nameA} ${of(sa)}, ${nameB} ${of(sb)}`);
  const [inA, inB] = [attachedIn(sa), attachedIn(sb)];
  const only = (mine: ReadonlySet<string>, other: ReadonlySet<string>): string[] =>
    [...mine].filter((name) => !other.has(name)).sort();
  const [onlyA, onlyB] = [only(inA, inB), only(inB, inA)];
  if (onlyA.length > 0) warnings.push(`hooked in ${nameA} only: ${onlyA.join(', ')}`);
  if (onlyB.length > 0) warnings.push(`hooked in ${nameB} only: ${onlyB.join(', ')}`);
  return warnings;
}

function attachedIn(session: SessionInfo): ReadonlySet<string> {
  return new Set(session.hooks.filter(({ attached }) => attached).map(({ target }) => target));
}

function losses([name, { snapshot, truncated }]: Side): string[] {
  const { events, lifecycles } = snapshot;
  const lines: string[] = [];
  if (truncated !== null) lines.push(`${name} was cut off: ${truncated}`);
  if (events.dropped > LOSS_SHARE * events.emitted) {
    lines.push(`${name} dropped ${percent(events.dropped / events.emitted)} of its events: the ring was full`);
  }
  const runs = snapshot.counts.faults + events.missed;
  if (events.missed > LOSS_SHARE * runs) lines.push(`${name} missed ${events.missed} program runs`);
  if (lifecycles.incomplete > INCOMPLETE_SHARE * lifecycles.total) {
    lines.push(`${percent(lifecycles.incomplete / lifecycles.total)} of the lifecycles of ${name} lack steps`);
  }
  return lines;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}
