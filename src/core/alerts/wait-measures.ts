// SPDX-License-Identifier: MIT
/** How long the waits took that ended in the interval: three fields for each kind of wait. */

import type { Figures } from '../aggregate/figures.js';
import { Histogram } from '../aggregate/histogram.js';
import { whyNoWait } from '../present/wait-hooks.js';
import { snakeCase, WAIT_FACTS, WAIT_NAMES, type WaitFacts, type WaitName } from '../vocabulary/waits.js';
import { type Interval, type Measure, type Reading, unknown } from './interval.js';

/** Why the waits of this kind cannot be seen in this session; '' where they can, or were. */
function whyUnseen({ session, distributions }: Figures, kind: WaitName): string {
  if (distributions === undefined) return 'the distributions of waits were not kept';
  if (distributions[kind].count > 0) return '';
  return whyNoWait(session, kind);
}

function read({ before, now }: Interval, kind: WaitName, of: (histogram: Histogram) => Reading): Reading {
  const why = whyUnseen(now, kind);
  if (why !== '' || now.distributions === undefined) return unknown(why);
  return of(Histogram.between(before?.distributions?.[kind] ?? null, now.distributions[kind]));
}

function seconds(histogram: Histogram, ns: number): Reading {
  return histogram.count === 0 ? unknown('no such wait ended') : ns / 1e9;
}

const WHOSE: Readonly<Record<WaitFacts['of'], string>> = {
  fault: 'waits of faults',
  part: 'waits of faults, the part after a failed trylock',
  writer: 'waits of the writers that were sent',
};

/** `waits of faults: folio lock` */
function titleOf(name: WaitName): string {
  const { of, title } = WAIT_FACTS[name];
  return `${WHOSE[of]}: ${title}`;
}

function measuresOf(kind: WaitName): Measure[] {
  const name = `${snakeCase(kind)}_wait`;
  const title = titleOf(kind);
  return [
    {
      id: `${name}_p99_seconds`,
      unit: 's',
      title: `${title}: 99 % took no longer`,
      read: (i) => read(i, kind, (h) => seconds(h, h.percentile(0.99))),
    },
    {
      id: `${name}_max_seconds`,
      unit: 's',
      title: `${title}: the longest`,
      read: (i) => read(i, kind, (h) => seconds(h, h.max)),
    },
    {
      id: `${name}_rate`,
      unit: '/s',
      title: `${title}: how many ended`,
      read: (i) => read(i, kind, ({ count }) => count / i.seconds),
    },
  ];
}

export const WAIT_MEASURES: readonly Measure[] = WAIT_NAMES.flatMap(measuresOf);
