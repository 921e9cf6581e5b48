// SPDX-License-Identifier: MIT
/** How long the waits took that ended in the interval: three fields for each kind of wait. */
import { Histogram } from '../histogram.js';
import { WAIT_KINDS, type WaitKind } from '../lifecycle.js';
import type { Snapshot } from '../snapshot.js';
import { WAIT_WORDS } from '../view/words.js';
import { type Interval, type Reading, unknown } from './interval.js';
import type { Measure } from './measures.js';

type Kind = keyof NonNullable<Snapshot['distributions']>;

const TITLES: Readonly<Record<Kind, string>> = {
  ...(Object.fromEntries(WAIT_KINDS.map((kind) => [kind, `faults' waits for ${WAIT_WORDS[kind][1]}`])) as Record<
    WaitKind,
    string
  >),
  mmapLockQueued: "faults' waits for mmap_lock, the part after a failed trylock",
  writer: "writers' waits for mmap_lock, of those sent",
  vmaWrite: "writers' waits for the readers of a VMA, of those sent",
};

/** `mmapLockQueued` → `mmap_lock_queued` */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function recent({ before, now }: Interval, kind: Kind): Histogram | null {
  if (now.distributions === undefined || (before !== null && before.distributions === undefined)) return null;
  return Histogram.between(before?.distributions?.[kind] ?? null, now.distributions[kind]);
}

function read(interval: Interval, kind: Kind, of: (histogram: Histogram) => number): Reading {
  const histogram = recent(interval, kind);
  if (histogram === null) return unknown('the distribution of these waits was not kept');
  return histogram.count === 0 ? unknown('no such wait ended') : of(histogram) / 1e9;
}

function measuresOf(kind: Kind): Measure[] {
  const name = `${snakeCase(kind)}_wait`;
  const title = TITLES[kind];
  return [
    {
      id: `${name}_p99_seconds`,
      unit: 's',
      title: `${title}: 99 % took no longer`,
      read: (i) => read(i, kind, (h) => h.percentile(0.99)),
    },
    { id: `${name}_max_seconds`, unit: 's', title: `${title}: the longest`, read: (i) => read(i, kind, (h) => h.max) },
    {
      id: `${name}_rate`,
      unit: '/s',
      title: `${title}: how many ended`,
      read: (i) => {
        const histogram = recent(i, kind);
        return histogram === null
          ? unknown('the distribution of these waits was not kept')
          : histogram.count / i.seconds;
      },
    },
  ];
}

export const WAIT_MEASURES: readonly Measure[] = [...WAIT_KINDS, 'mmapLockQueued', 'writer', 'vmaWrite'].flatMap(
  (kind) => measuresOf(kind as Kind),
);
