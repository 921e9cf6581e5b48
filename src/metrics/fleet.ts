// SPDX-License-Identifier: MIT
/**
 * The families a fleet can afford: the same names, no series that belongs to a process, a device or a rule, so that a host
 * has as many of them however long it runs. 60 at most; a test counts.
 */
import type { Family, Labels, Sample } from './family.js';
import { PREFIX } from './family.js';

type Keep = {
  /** Only samples with these values of a label. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
  /** Samples that are equal in this label become one, which has no other. */
  readonly sumBy?: string;
};

const KEPT: Readonly<Record<string, Keep>> = {
  faults: {},
  retries: {},
  aborts: {},
  retry_verdicts: {},
  avoidable_fallback_seconds: {},
  wait_seconds: { only: { kind: ['folio', 'mmap_lock'] } },
  mmap_lock_queued_seconds: {},
  lifecycles_in_flight: {},
  refaults: {},
  events: {},
  probe_runs_missed: {},
  state_lost: {},
  session_info: {},
  self_cpu_seconds: {},
  daemon_memory_bytes: { only: { part: ['resident'] } },
  over_budget: {},
  alerts_firing: { sumBy: 'severity' },
  alerts_fired: { sumBy: 'severity' },
};

function isKept(labels: Labels, { only = {} }: Keep): boolean {
  return Object.entries(only).every(([label, values]) => values.includes(labels[label] ?? ''));
}

function summed(samples: readonly Sample[], label: string): Sample[] {
  const sums = new Map<string, number>();
  for (const { labels, value } of samples) {
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return [...sums].map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function kept(family: Family): Family[] {
  const keep = KEPT[family.name.slice(PREFIX.length)];
  if (keep === undefined) return [];
  const { sumBy } = keep;
  switch (family.type) {
    case 'summary':
      return [{ ...family, samples: family.samples.filter(({ labels }) => isKept(labels, keep)) }];
    case 'histogram':
      return [];
    default: {
      const samples = family.samples.filter(({ labels }) => isKept(labels, keep));
      return [{ ...family, samples: sumBy === undefined ? samples : summed(samples, sumBy) }];
    }
  }
}

export function fleetFamilies(families: readonly Family[]): Family[] {
  return families.flatMap(kept);
}
