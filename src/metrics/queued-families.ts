// SPDX-License-Identifier: MIT
/** Waits for locks that queued, as metric families: by whether they have a holder. */
import type { WaitedFor } from '../core/aggregate/blocker-rows.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import { counter, type Family, NS, type Sample, samplesBy, single } from './family.js';

/** None where they are not seen. */
export function queuedFamilies({ blockers }: Snapshot): Family[] {
  const of = (value: (who: WaitedFor) => Readonly<Record<string, number>>): Sample[] =>
    blockers.known
      ? (['all', 'faults'] as const).flatMap((who) =>
          samplesBy('holder', value(blockers[who])).map(({ labels, value: it }) => ({
            labels: { who, ...labels },
            value: it,
          })),
        )
      : [];
  return [
    counter(
      'mmap_lock_queued_waits',
      'Waits for mmap_lock that queued, of everybody and of page faults alone, by what is known of who held it.',
      of(({ named, why }) => ({ named, ...why })),
    ),
    counter(
      'mmap_lock_queued_seconds',
      'Time of those waits.',
      blockers.known
        ? (['all', 'faults'] as const).map((who) => ({ labels: { who }, value: blockers[who].waits.sumNs * NS }))
        : [],
      'seconds',
    ),
    counter(
      'vma_lock_queued_waits',
      'Waits of writers for those who hold a VMA lock for read, by what is known of who that was.',
      blockers.known && blockers.vma !== null
        ? samplesBy('holder', { named: blockers.vma.named, ...blockers.vma.why })
        : [],
    ),
    counter(
      'vma_lock_queued_seconds',
      'Time of those waits.',
      blockers.known && blockers.vma !== null ? single(blockers.vma.waits.sumNs * NS) : [],
      'seconds',
    ),
  ];
}
