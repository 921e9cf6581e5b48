// SPDX-License-Identifier: MIT
/** Sections of BENCHMARKS.md that run whole processes: under load, at rest, and for long. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchGrowth, growthTable } from './growth.js';
import { benchLoad, loadRows } from './load.js';
import { benchReady, readyRows } from './ready.js';
import { benchRingLoad, type RingLoad, type RingLoadOptions, ringLoadRows } from './ring-load.js';
import type { RingRows } from './ring-writer.js';
import { count, table } from './words.js';

const RECORDING = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
/** As long as each of them is measured, once it is warm. */
const SECONDS = Number(process.env.BENCH_SECONDS) || 20;
const WARM_UP_SECONDS = 10;
/** As many processes as the dashboard is measured with. */
const THREADS = 2000;
const STORM = { faults: 50_000, retries: 5000, threads: THREADS };
const RING = { rate: 500_000, warmUpSeconds: WARM_UP_SECONDS, seconds: SECONDS, ringBytes: 2 ** 24 };
const MANY = 10_000_000;
/** Some two minutes of CPU time on a slow core. */
const SOME = 2_000_000;
const GROWTH = {
  lifecycles: process.env.BENCH_GROWTH === '1' ? MANY : SOME,
  faults: 25_000,
  threads: 100_000,
  cgroups: 10_000,
};

/** `head`, and below it what was measured, or why it was not. */
async function section(head: string, measure: () => Promise<string>): Promise<string> {
  const body = await measure().catch((error: unknown) => {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    return `not measured: ${why}`;
  });
  return `${head}\n\n${body}`;
}

const load = (): Promise<string> =>
  section(
    `The daemon with metrics, alerts and their actions, flight recorder and socket, scraped every 5 s, over what the kernel side sends
for ${count(STORM.faults)} swap faults a second in the default scope: those that retry and one in 256 of the others step by step, the rest
counted, once a second for each of ${THREADS / 4} processes. ${SECONDS} s, after ${WARM_UP_SECONDS} s.`,
    async () =>
      table(loadRows(await benchLoad({ ...STORM, warmUpSeconds: WARM_UP_SECONDS, seconds: SECONDS })), 'Daemon'),
  );

async function ringLoads(): Promise<string> {
  if (availableParallelism() < 2) throw new Error('whoever fills the ring needs a core of its own');
  const of: readonly (readonly [string, RingRows])[] = [
    ['of swap-7.3.vmlt', { recording: RECORDING }],
    [`of ${THREADS / 4} processes`, { faults: 24_000, threads: THREADS }],
  ];
  const loads: RingLoad[] = [];
  for (const [, rows] of of) loads.push(await benchRingLoad({ ...RING, rows } satisfies RingLoadOptions));
  const [first = [], ...others] = loads.map(ringLoadRows);
  const rows = first.map(([what, figure], i) => [what, figure, ...others.map((row) => row[i]?.[1] ?? '')]);
  return table(
    rows,
    'Ring',
    of.map(([what]) => what),
  );
}

const ring = (): Promise<string> =>
  section(
    `The dashboard at 160×45 and 1 Hz, recording to a file, over a ring of 16 MiB that another thread fills as the kernel does:
the records of a recording over and over, and those of ${THREADS / 4} processes, whose ${THREADS} threads are nearly always inside a fault, of
every shape. ${SECONDS} s, after ${WARM_UP_SECONDS} s.`,
    ringLoads,
  );

const ready = (): Promise<string> =>
  section(
    `The program as it is installed: medians of five starts, each beside a bare start of Node; and resident memory after ${SECONDS} s of a
stream in which only counters come, from its begin for the daemon (everything on), after the rows of a small recording for the
dashboard (\`replay -\`) and \`stat --interval 1 -\`. What libbpf and loaded programs take is not in it.`,
    async () => table(readyRows(await benchReady({ starts: 5, restSeconds: SECONDS })), 'At rest'),
  );

const growth = (): Promise<string> =>
  section(
    `Fold and sums in a process of their own, over a session in which ever more threads, VMAs and cgroups come; a snapshot for each
second of it. Times are of what came since the column before; memory is after a collection, with the ${count(GROWTH.faults)} faults of the stream.`,
    async () => growthTable(await benchGrowth(GROWTH)),
  );

export const heavySections: Readonly<Record<string, () => Promise<string>>> = { load, ring, ready, growth };
