// SPDX-License-Identifier: MIT
/** What a Snapshot says, as metric families. Every label set is bounded: by a list of ours, by the host's devices, or by `top`. */

import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { WaitStats } from '../core/aggregate/snapshot-rows.js';
import { finalCount } from '../core/present/rows.js';
import { ABORT_CAUSES, type Cause, RETRY_CAUSES } from '../core/vocabulary/causes.js';
import { snakeCase } from '../core/vocabulary/waits.js';
import { counter, type Family, gauge, NS, PREFIX, type Sample, samplesBy, single } from './family.js';
import { kernelFamilies } from './kernel-families.js';
import { queuedFamilies } from './queued-families.js';
import { workFamilies } from './work-families.js';

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
 * still be counted elsewhere is left out: a counter that went back would be taken for one that began again.
 */
function samplesByCause(snapshot: Snapshot, causes: readonly Cause[]): Sample[] {
  return samplesBy('cause', Object.fromEntries(causes.map((cause) => [cause, finalCount(snapshot, cause)])));
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
    counter(
      'refaults',
      'Swap faults on a page mapped less than 1 s before.',
      progress.refaults === null ? [] : single(progress.refaults),
    ),
  ];
}

function deviceFamilies({ swap }: Snapshot): Family[] {
  const of = (value: (row: (typeof swap.devices)[number]) => number): Sample[] =>
    swap.devices.map((row) => ({ labels: { device: row.name || `type ${row.type}` }, value: value(row) }));
  return [
    counter(
      'swap_device_faults',
      'Faults that came to a swap device, followed or counted.',
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
    counter('state_lost', 'Faults that could not be followed: no room for per-task state.', single(events.stateLost)),
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
