// SPDX-License-Identifier: MIT
/** What makes two recordings hard to compare, in words: to be read before any figure. */
import type { SessionInfo } from '../session.js';
import type { Snapshot } from '../snapshot.js';

export interface Compared {
  readonly snapshot: Snapshot;
  /** How the recording was cut off, in words; null when it is whole. */
  readonly truncated: string | null;
}

type Side = readonly [name: 'A' | 'B', side: Compared];

const SAME: readonly (readonly [what: string, of: (session: SessionInfo) => string])[] = [
  ['kernels', (s) => s.kernel],
  ['architectures', (s) => s.arch],
  ['preemption models', (s) => s.preemption],
  ['numbers of CPUs', (s) => String(s.cpus)],
  ['scopes', (s) => s.scope],
  ['ways to find a release', (s) => s.release],
  ['wire layouts (by which causes are told apart)', (s) => s.layout],
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

export function warningsOf(a: Compared, b: Compared): string[] {
  const warnings: string[] = [];
  const [sa, sb] = [a.snapshot.session, b.snapshot.session];
  for (const [what, of] of SAME) {
    if (of(sa) !== of(sb)) warnings.push(`${what} differ: A ${of(sa)}, B ${of(sb)}`);
  }
  warnings.push(...hookDifferences(sa, sb));
  for (const side of [['A', a] as const, ['B', b] as const]) warnings.push(...losses(side));
  const [longer, shorter] = [a.snapshot.durationNs, b.snapshot.durationNs].sort((x, y) => y - x) as [number, number];
  if (longer > LENGTH_RATIO * shorter) warnings.push('one recording is more than three times as long as the other');
  return warnings;
}

function attachedIn(session: SessionInfo): ReadonlySet<string> {
  return new Set(session.hooks.filter(({ attached }) => attached).map(({ target }) => target));
}

function hookDifferences(a: SessionInfo, b: SessionInfo): string[] {
  const [inA, inB] = [attachedIn(a), attachedIn(b)];
  const only = (mine: ReadonlySet<string>, other: ReadonlySet<string>): string[] =>
    [...mine].filter((name) => !other.has(name)).sort();
  const lines: string[] = [];
  const onlyA = only(inA, inB);
  const onlyB = only(inB, inA);
  if (onlyA.length > 0) lines.push(`hooked in A alone: ${onlyA.join(', ')}`);
  if (onlyB.length > 0) lines.push(`hooked in B alone: ${onlyB.join(', ')}`);
  return lines;
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
