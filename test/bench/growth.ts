// SPDX-License-Identifier: MIT
/** Whether an event costs as much, and memory stays as it is, however many faults, threads, VMAs and cgroups were seen before. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Seen } from './growth-crowd.js';
import { count, mib, table } from './words.js';

const CHILD = fileURLToPath(new URL('./growth-child.js', import.meta.url));

export interface GrowthOptions {
  readonly lifecycles: number;
  /** Of one round. */
  readonly faults: number;
  readonly threads: number;
  readonly cgroups: number;
}

/** Up to a part of the session; times are of what came since the point before. */
export interface GrowthPoint {
  readonly part: number;
  readonly events: number;
  readonly lifecycles: number;
  readonly ended: number;
  readonly emitted: number;
  readonly decoded: number;
  readonly seen: Seen;
  /** CPU time of fold and sums. */
  readonly nsPerEvent: number;
  readonly snapshotMs: number;
  /** After a collection. */
  readonly rssBytes: number;
  readonly aliveBytes: number;
}

export async function benchGrowth(options: GrowthOptions): Promise<GrowthPoint[]> {
  const argv = ['--expose-gc', CHILD, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout) as GrowthPoint[];
}

export function growthTable(points: readonly GrowthPoint[]): string {
  const rows: readonly (readonly [string, (point: GrowthPoint) => string])[] = [
    ['lifecycles', ({ lifecycles }) => count(lifecycles)],
    ['events', ({ events }) => count(events)],
    ['threads, VMAs', ({ seen }) => count(seen.threads)],
    ['cgroups', ({ seen }) => count(seen.cgroups)],
    ['CPU time of an event', ({ nsPerEvent }) => `${Math.round(nsPerEvent)} ns`],
    ['CPU time of a snapshot', ({ snapshotMs }) => `${snapshotMs.toFixed(1)} ms`],
    ['RSS', ({ rssBytes }) => mib(rssBytes)],
    ['of it alive', ({ aliveBytes }) => mib(aliveBytes)],
  ];
  const parts = points.map(({ part }) => (part === 1 ? 'the whole' : `1/${Math.round(1 / part)}`));
  return table(
    rows.map(([what, of]) => [what, ...points.map(of)]),
    'Growth',
    parts,
  );
}
