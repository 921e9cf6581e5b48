// SPDX-License-Identifier: MIT
/**
 * The dashboard as `vmalocktop top` shows it, over a ring that a thread of this process fills: ring-child OUTPUT OPTIONS,
 * where OPTIONS are `RingLoadOptions` as JSON. The figures go to OUTPUT, as JSON. Nothing comes before recording was begun by
 * its key.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { loadSmall } from '../../cli/common/heap.js';
import { cpuOfThread, waitedSeconds } from '../soak/proc.js';
import type { RingLoadOptions } from './ring-load.js';
import { ringMemory } from './ring-storm.js';
import type { RingWriterOptions, RingWritten } from './ring-writer.js';

/** What is measured of it. */
export interface RingFigures {
  readonly written: RingWritten;
  readonly events: { readonly emitted: number; readonly decoded: number; readonly dropped: number };
  /** From the end of the warm-up to that of the writing. */
  readonly seconds: number;
  /** Of the thread that reads, folds, draws and records, in shares of a core. */
  readonly cpuShare: number;
  /** Share of the time that this thread was ready to run and had no core; null: not known. */
  readonly waitedShare: number | null;
  /** By how much timers of that thread came late. */
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  readonly exitCode: number;
}

/** Every so often a timer is due, and is looked at. */
const RESOLUTION_MS = 5;

await import('../../cli/program.js');
const { openTerminal, showDashboard } = await loadSmall(async () => {
  await import('../../cli/commands/top/index.js');
  return import('../../cli/common/terminal.js');
}, true);
const { Pipeline } = await import('../../src/core/aggregate/pipeline.js');
const { RingSource } = await import('./ring-source.js');

const [, , output = '', text = '{}'] = process.argv;
const { rows, rate, warmUpSeconds, seconds, ringBytes } = JSON.parse(text) as RingLoadOptions;
const memory = ringMemory(ringBytes);
const workerData: RingWriterOptions = { memory, rows, rate, seconds: warmUpSeconds + seconds };
const writer = new Worker(new URL('./ring-writer.js', import.meta.url), { workerData });
await new Promise((resolve) => writer.once('message', resolve));

const source = new RingSource(memory);
const pipeline = new Pipeline(source.session);
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const now = (): { time: number; cpu: number; waited: number | null } => ({
  time: performance.now(),
  cpu: cpuOfThread(process.pid),
  waited: waitedSeconds(process.pid),
});
let since = now();
const measureFrom = (): void => {
  since = now();
  delay.enable();
};
const measured = new Promise<Pick<RingFigures, 'written' | 'seconds' | 'cpuShare' | 'waitedShare'>>(
  (resolve, reject) => {
    writer.once('error', reject);
    writer.once('message', (written: RingWritten) => {
      delay.disable();
      const { time, cpu, waited } = now();
      const passed = (time - since.time) / 1000;
      resolve({
        written,
        seconds: passed,
        cpuShare: (cpu - since.cpu) / passed,
        waitedShare: waited === null || since.waited === null ? null : (waited - since.waited) / passed,
      });
      void source.close();
    });
  },
);
const terminal = openTerminal(false);
let begun = false;
const exitCode = await showDashboard({
  source,
  pipeline,
  terminal,
  mode: 'live',
  intervalMs: 1000,
  onFrame: () => {
    if (begun) return;
    begun = true;
    // With the key that begins the recording, all begins.
    terminal.input.once('data', () => {
      writer.postMessage('begin');
      setTimeout(measureFrom, warmUpSeconds * 1000);
    });
  },
});
const { emitted, decoded, dropped } = pipeline.snapshot().events;
const late = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS);
const figures: RingFigures = {
  ...(await measured),
  events: { emitted, decoded, dropped },
  delayP99Ms: late(delay.percentile(99)),
  delayMaxMs: late(delay.max),
  exitCode,
};
writeFileSync(output, JSON.stringify(figures));
process.exit(0);
