// SPDX-License-Identifier: MIT
/**
 * The dashboard as `vmalocktop replay -` shows it, in a terminal, that notes what each frame and each snapshot took.
 * Leaves at the end of the stream; the figures go to the file named by the first argument, as JSON.
 */
import { writeFileSync } from 'node:fs';
import { loadSmall } from '../../cli/common/heap.js';
import type { Took } from '../../cli/tui/context.js';
import { takenBy } from '../soak/proc.js';

/** What is measured of it. */
export interface DashboardFigures {
  readonly frames: readonly Took[];
  readonly snapshots: readonly Took[];
  /** From the first frame with figures to the end of the stream. */
  readonly seconds: number;
  /** CPU time of the process in that time, in shares of one core. */
  readonly cpuShare: number;
  readonly processes: number;
  readonly peakRssBytes: number;
}

/** The first seconds are those of the compiler. */
const WARM_UP_MS = 4000;

// In the order in which the command line loads them: how far the heap has grown by then is part of what is measured.
await import('../../cli/program.js');
const { openTerminal, showDashboard } = await loadSmall(async () => {
  await import('../../cli/commands/replay/index.js');
  return import('../../cli/common/terminal.js');
}, true);
const { Pipeline } = await import('../../src/core/aggregate/pipeline.js');
const { openStream } = await import('../../src/recording/read/stream.js');

const [, , output = ''] = process.argv;
const source = await openStream(process.stdin);
const pipeline = new Pipeline(source.session);
const begun = performance.now();
const warm = (): boolean => performance.now() - begun > WARM_UP_MS;
const frames: Took[] = [];
const snapshots: Took[] = [];
let since = { time: 0, cpu: process.cpuUsage() };

const snapshot = pipeline.snapshot.bind(pipeline);
pipeline.snapshot = () => {
  if (warm() && since.time === 0) since = { time: performance.now(), cpu: process.cpuUsage() };
  const start = { wall: performance.now(), cpu: process.cpuUsage() };
  const made = snapshot();
  const { user, system } = process.cpuUsage(start.cpu);
  if (warm()) snapshots.push({ wallMs: performance.now() - start.wall, cpuMs: (user + system) / 1000 });
  if (made.ended) setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100);
  return made;
};

await showDashboard({
  source,
  pipeline,
  terminal: openTerminal(true),
  mode: 'stream',
  intervalMs: 1000,
  onFrame: (took) => {
    if (warm()) frames.push(took);
  },
});
const { user, system } = process.cpuUsage(since.cpu);
const seconds = (performance.now() - since.time) / 1000;
const figures: DashboardFigures = {
  frames,
  snapshots,
  seconds,
  cpuShare: (user + system) / 1e6 / seconds,
  processes: snapshot().processes.length,
  peakRssBytes: takenBy(process.pid).peakRssBytes,
};
writeFileSync(output, JSON.stringify(figures));
process.exit(0);
