// SPDX-License-Identifier: MIT
/** Counts that are kept in the kernel, as metric families: they hold whatever the ring lost. */
import type { Snapshot } from '../core/aggregate/snapshot.js';
import { counter, type Distribution, type Family, NS, PREFIX, samplesBy, single } from './family.js';

/** Of the kernel's log2 buckets those between 1 µs and 34 s are kept apart: always the same ones, so that series stay. */
const FIRST_BUCKET = 9;
const LAST_BUCKET = 34;

/** Bucket i of the kernel holds 2^i to 2^(i+1) ns. It keeps no sums. */
function log2Distribution(path: string, buckets: readonly number[]): Distribution {
  const bounds: number[] = [];
  const counts: number[] = [];
  let below = 0;
  for (let i = 0; i < buckets.length; i++) {
    below += buckets[i] ?? 0;
    if (i < FIRST_BUCKET || i > LAST_BUCKET) continue;
    bounds.push(2 ** (i + 1) * NS);
    counts.push(below);
    below = 0;
  }
  return { labels: { path }, bounds, counts: [...counts, below], sum: null };
}

export function kernelFamilies({ counts, swap, kernelHist, mmapLock }: Snapshot): Family[] {
  const { vmaLock } = counts;
  const sides = { read: mmapLock.read, write: mmapLock.write };
  return [
    counter('faults', 'Page faults by the outcome of their attempt under the VMA lock.', [
      ...samplesBy('outcome', { ...vmaLock, kernel_mode: counts.kernelMode }),
    ]),
    counter('mmap_lock_attempts', 'Attempts of user-mode faults under mmap_lock.', single(counts.mmapLock)),
    counter('swap_faults', 'do_swap_page calls that reached get_swap_device, by the kind of device.', [
      ...samplesBy('io', { synchronous: swap.synchronous, asynchronous: swap.asynchronous }),
    ]),
    counter(
      'folio_lock_or_retry',
      '__folio_lock_or_retry calls by result.',
      samplesBy('result', { retry: swap.lockOrRetry.retry, locked: swap.lockOrRetry.locked }),
    ),
    {
      name: `${PREFIX}path_duration_seconds`,
      help: 'Entry to return of functions on the way of a fault, in the log2 buckets the kernel side keeps (no sums).',
      unit: 'seconds',
      type: 'histogram',
      samples: Object.entries(kernelHist).map(([path, buckets]) => log2Distribution(path.toLowerCase(), buckets)),
    },
    {
      name: `${PREFIX}mmap_lock_wait_seconds`,
      help: 'From asking for mmap_lock to having it, by everybody who is observed.',
      unit: 'seconds',
      type: 'histogram',
      samples: mmapLock.known
        ? Object.entries(sides).map(([side, { decades, waitNs }]) => ({
            labels: { side },
            bounds: decades.slice(0, -1).map((_, i) => Number(`1e${i - 6}`)),
            counts: decades,
            sum: waitNs * NS,
          }))
        : [],
    },
  ];
}
