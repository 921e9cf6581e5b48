// SPDX-License-Identifier: MIT
/** Values as JSON can hold them without losing bits. */
import type { WaitStats } from '../aggregate/snapshot-rows.js';

/** A u64 as decimal string: a double may have rounded it, and never prints as 1e21. */
export function u64(value: number): string {
  return BigInt(Math.round(value)).toString();
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

export function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function wait(stats: WaitStats): object {
  return {
    count: stats.count,
    sumNs: u64(stats.sumNs),
    p50Ns: known(stats.p50Ns),
    p99Ns: known(stats.p99Ns),
    maxNs: known(stats.maxNs),
  };
}

export function sorted<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([x], [y]) => (x < y ? -1 : 1)));
}
