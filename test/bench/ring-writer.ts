// SPDX-License-Identifier: MIT
/** A thread that is the kernel of a benchmark: writes records into a ring at a pace, beside whoever reads them. */
import { parentPort, workerData } from 'node:worker_threads';
import type { EventBatch } from '../../src/core/events/batch.js';
import { openFile } from '../../src/recording/read/file.js';
import { synthesize } from '../core/synthetic.js';
import { copyOf } from './repeat.js';
import { type RingMemory, RingStorm } from './ring-storm.js';

/** Rows to be written over and over: those of a recording, or made up, of every shape a fault can have. */
export type RingRows = { readonly recording: string } | { readonly faults: number; readonly threads: number };

export interface RingWriterOptions {
  readonly memory: RingMemory;
  readonly rows: RingRows;
  /** Records a second. */
  readonly rate: number;
  /** Whole rounds are written, for no less than this. */
  readonly seconds: number;
}

/** What it says when all is written. */
export interface RingWritten {
  readonly sent: number;
  readonly lost: number;
  readonly seconds: number;
}

/** Between two looks at the clock. */
const STEP_MS = 1;

async function batchesOf(rows: RingRows): Promise<EventBatch[]> {
  if ('faults' in rows) return synthesize(rows.faults, 1, { threads: rows.threads, unfinished: false });
  const source = await openFile(rows.recording);
  const batches: EventBatch[] = [];
  for await (const batch of source.batches()) batches.push(copyOf(batch));
  await source.close();
  return batches;
}

const { memory, rows, rate, seconds } = workerData as RingWriterOptions;
const port = parentPort;
if (port === null) throw new Error('to be started as a worker');
const storm = new RingStorm(memory, await batchesOf(rows), rate);

port.once('message', () => {
  const begun = process.hrtime.bigint();
  storm.begin(Number(begun));
  const all = Math.ceil((rate * seconds) / storm.records) * storm.records;
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const passed = (): number => Number(process.hrtime.bigint() - begun) / 1e9;
  for (;;) {
    storm.send(Math.min(all, Math.floor(passed() * rate)));
    if (storm.sent >= all) break;
    Atomics.wait(asleep, 0, 0, STEP_MS);
  }
  port.postMessage({ sent: storm.sent, lost: storm.lost, seconds: passed() } satisfies RingWritten);
});
port.postMessage('ready');
