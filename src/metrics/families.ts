// SPDX-License-Identifier: MIT
/** What a Snapshot says, as metric families. Every label set is bounded: by a list of ours, by the host's devices, or by `top`. */

import type { WaitedFor } from '../core/aggregate/blocker-rows.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { WaitStats } from '../core/aggregate/snapshot-rows.js';
import { finalCount } from '../core/present/rows.js';
import { ABORT_CAUSES, type Cause, RETRY_CAUSES } from '../core/vocabulary/causes.js';
import { snakeCase } from '../core/vocabulary/waits.js';
import {
  counter,
  type Distribution,
  type Family,
  gauge,
  NS,
  PREFIX,
  type Sample,
  samplesBy,
  single,
} from './family.js';
import { workFamilies } from './work-families.js';

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

function summaries(
  label: string,
  stats: Readonly<Record<string, WaitStats>>,
): { labels: Record<string, string>; sum: number; count: number }[] {
  return Object.entries(stats).map(([key, { sumNs, count }]) => ({
    labels: { [label]: snakeCase(key) },
    sum: sumNs * NS,
    count,
  }));
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((x, y) => x + y, 0);

/**
 * All causes from the first scrape on: who computes a rate would not see the first abort of one that came later. What may
 * still be counted elsewhere is left out: a counter that went back would be taken for one that began anew.
 */
function samplesByCause(snapshot: Snapshot, causes: readonly Cause[]): Sample[] {
  return samplesBy('cause', Object.fromEntries(causes.map((cause) => [cause, finalCount(snapshot, cause)])));
}

/** Counts kept in the kernel: they hold whatever the ring lost. */
function kernelFamilies({ counts, swap, kernelHist, mmapLock }: Snapshot): Family[] {
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

/** Waits for mmap_lock that queued, by whether they have a holder; none where they are not seen. */
function queuedFamilies({ blockers }: Snapshot): Family[] {
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

/** Sums over the lifecycles that were followed: in the chosen scope, and as far as the ring had room. */
function lifecycleFamilies(snapshot: Snapshot): Family[] {
  const { retry, abort, waits, held, lifecycles, counterfactual, progress } = snapshot;
  const { 'in-flight': inFlight, ...ended } = lifecycles.byEnd;
  const { all } = counterfactual;
  const undecided = sum(retry.undecided);
  // A part of another wait is no wait beside it.
  const { mmapLockQueued, ...whole } = waits;
  return [
    counter(
      'retries',
      'VMA-lock attempts of followed faults that returned RETRY, by cause, once it is sure.',
      samplesByCause(snapshot, RETRY_CAUSES),
    ),
    counter(
      'second_tries',
      'Attempts of followed faults under the VMA lock after a RETRY there, by result: kernels that try it once more.',
      samplesBy('result', retry.secondTries),
    ),
    gauge('retries_undecided', 'Retries whose fallback may still say another cause.', single(undecided)),
    counter(
      'aborts',
      'Followed faults that got no VMA lock, by cause, once it is sure.',
      samplesByCause(snapshot, ABORT_CAUSES),
    ),
    gauge('aborts_undecided', 'Aborts whose fault is not over.', single(sum(abort.undecided))),
    counter(
      'retry_verdicts',
      'Retries by whether they could have stayed on the VMA lock.',
      samplesBy('verdict', {
        avoidable: retry.avoidable,
        not_avoidable: retry.notAvoidable,
        unknown: retry.unknown - undecided,
      }),
    ),
    counter(
      'avoidable_fallback_seconds',
      'Time avoidable retries spent in lock_mm_and_find_vma.',
      single(((all.savedNs ?? 0) + all.lookupNs) * NS),
      'seconds',
    ),
    {
      name: `${PREFIX}wait_seconds`,
      help: 'Waits of followed faults by kind; writer, vma_write: of writers that were sent, for mmap_lock and for the readers of a VMA.',
      unit: 'seconds',
      type: 'summary',
      samples: summaries('kind', whole),
    },
    {
      name: `${PREFIX}held_wait_seconds`,
      help: 'Waits of followed faults by the lock held meanwhile.',
      unit: 'seconds',
      type: 'summary',
      samples: summaries('held', held),
    },
    counter('lifecycles', 'Faults followed to their end, by how they ended.', samplesBy('end', ended)),
    gauge('lifecycles_in_flight', 'Faults followed that have not ended.', single(inFlight)),
    counter('lifecycles_evicted', 'Faults given up because too many were open.', single(lifecycles.evicted)),
    counter('refaults', 'Swap faults on a page mapped less than 1 s before.', single(progress.refaults)),
  ];
}

function deviceFamilies({ swap }: Snapshot): Family[] {
  const of = (value: (row: (typeof swap.devices)[number]) => number): Sample[] =>
    swap.devices.map((row) => ({ labels: { device: row.name || `type ${row.type}` }, value: value(row) }));
  return [
    counter(
      'swap_device_faults',
      'Followed faults that came to a swap device.',
      of((row) => row.faults),
    ),
    counter(
      'swap_device_retries',
      'Retries of faults at a swap device.',
      of((row) => row.retries),
    ),
    counter(
      'swap_device_folio_wait_seconds',
      'Waits for folios of a swap device.',
      of((row) => row.folioWait.sumNs * NS),
      'seconds',
    ),
  ];
}

/** What was lost, and what watching costs. */
function trustFamilies({ session, time, events, overhead, ringUsedBytes, forgotten }: Snapshot): Family[] {
  return [
    gauge('session_info', 'What is observed, and how; always 1.', [
      {
        labels: {
          tool: session.tool,
          kernel: session.kernel,
          scope: session.scope,
          release: session.release,
          preemption: session.preemption,
        },
        value: 1,
      },
    ]),
    gauge('session_seconds', 'Length of the session up to its newest row.', single(time * NS), 'seconds'),
    counter('events', 'Records of the kernel side.', [
      ...samplesBy('state', { emitted: events.emitted, decoded: events.decoded, dropped: events.dropped }),
    ]),
    counter('probe_runs_missed', 'Runs of our programs the kernel skipped.', single(events.missed)),
    counter('state_lost', 'Faults that could not be followed for want of per-task state.', single(events.stateLost)),
    counter('table_rows_forgotten', 'Rows dropped from our own bounded tables.', samplesBy('table', { ...forgotten })),
    gauge('ring_used_bytes', 'Ring buffer in use when it was last looked at.', single(ringUsedBytes), 'bytes'),
    gauge('ring_size_bytes', 'Size of the ring buffer.', single(session.ringBytes), 'bytes'),
    counter('self_cpu_seconds', 'CPU time of this process since attach.', single(overhead.selfCpuNs * NS), 'seconds'),
    gauge('self_memory_bytes', 'Resident memory of this process.', single(overhead.selfRssBytes), 'bytes'),
  ];
}

/** `top`: processes with series of their own, at most as many as the snapshot has rows (256). */
export function snapshotFamilies(snapshot: Snapshot, top: number): Family[] {
  return [
    ...kernelFamilies(snapshot),
    ...lifecycleFamilies(snapshot),
    ...queuedFamilies(snapshot),
    ...deviceFamilies(snapshot),
    ...workFamilies(snapshot, top),
    ...trustFamilies(snapshot),
  ];
}
