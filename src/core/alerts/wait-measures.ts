// SPDX-License-Identifier: MIT
/** How long the waits took that ended in the interval: three fields for each kind of wait. */
import { Histogram } from '../aggregate/histogram.js';
import { whyNotHooked } from '../aggregate/mmap-lock.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import { WAIT_KINDS, type WaitKind } from '../lifecycle/lifecycle.js';
import { whyNoWait } from '../present/wait-hooks.js';
import { WAIT_WORDS } from '../present/words.js';
import { type Interval, type Measure, type Reading, unknown } from './interval.js';

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

/** Why the waits of this kind cannot be seen in this session; '' where they can, or were. */
function whyUnseen({ session, distributions }: Snapshot, kind: Kind): string {
  if (distributions === undefined) return 'the distributions of waits were not kept';
  if (distributions[kind].count > 0) return '';
  return kind === 'vmaWrite' ? whyNotHooked(session, '__vma_start_write') : whyNoWait(session, kind);
}

function read({ before, now }: Interval, kind: Kind, of: (histogram: Histogram) => Reading): Reading {
  const why = whyUnseen(now, kind);
  if (why !== '' || now.distributions === undefined) return unknown(why);
  return of(Histogram.between(before?.distributions?.[kind] ?? null, now.distributions[kind]));
}

function seconds(histogram: Histogram, ns: number): Reading {
  return histogram.count === 0 ? unknown('no such wait ended') : ns / 1e9;
}

function measuresOf(kind: Kind): Measure[] {
  const name = `${snakeCase(kind)}_wait`;
  const title = TITLES[kind];
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

export const WAIT_MEASURES: readonly Measure[] = [...WAIT_KINDS, 'mmapLockQueued', 'writer', 'vmaWrite'].flatMap(
  (kind) => measuresOf(kind as Kind),
);
