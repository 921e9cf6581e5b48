// SPDX-License-Identifier: MIT
/** Half a million records a second through a ring, drawn and recorded at once: what is lost, and how late the process is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { openFile } from '../../src/recording/read/file.js';
import { inTerminal } from './in-terminal.js';
import type { RingFigures } from './ring-child.js';
import type { RingRows } from './ring-writer.js';
import { count, million, ms, percent, type Row, waitedRow } from './words.js';

const CHILD = fileURLToPath(new URL('./ring-child.js', import.meta.url));
const RECORD_KEY = 'w';
/** Behind the first frame the keys are listened to. */
const KEYS_MS = 500;

export interface RingLoadOptions {
  readonly rows: RingRows;
  /** Records a second. */
  readonly rate: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly ringBytes: number;
}

export interface RingLoad extends RingFigures {
  readonly file: {
    readonly bytes: number;
    /** Records in it, and what the counters in it say of that time. */
    readonly records: number;
    readonly emitted: number;
    readonly dropped: number;
  };
}

export async function benchRingLoad(options: RingLoadOptions): Promise<RingLoad> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const output = join(dir, 'figures');
    const child = inTerminal(process.execPath, [CHILD, output, JSON.stringify(options)], dir);
    await child.drawn;
    await delay(KEYS_MS);
    child.pty.write(RECORD_KEY);
    await child.ended;
    const name = readdirSync(dir).find((file) => file.endsWith('.vmlt'));
    if (name === undefined) throw new Error(`nothing was recorded: ${JSON.stringify(child.said())}`);
    const figures = JSON.parse(readFileSync(output, 'utf8')) as RingFigures;
    return { ...figures, file: await contents(join(dir, name)) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function contents(path: string): Promise<RingLoad['file']> {
  const source = await openFile(path);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  await source.close();
  const { emitted, decoded, dropped } = pipeline.snapshot().events;
  return { bytes: statSync(path).size, records: decoded, emitted, dropped };
}

/** What does not add up, in words; '' for nothing. */
export function ringFindings({ written, events, file, exitCode }: RingLoad): string {
  const findings: string[] = [];
  const equal = (what: string, seen: number, expected: number): void => {
    if (seen !== expected) findings.push(`${what}: ${seen}, not ${expected}`);
  };
  equal('records counted', events.emitted, written.sent);
  equal('records lost', events.dropped, written.lost);
  equal('records counted - decoded - lost', events.emitted - events.decoded - events.dropped, 0);
  equal('records in the file', file.records, events.decoded);
  equal('records lost, as the file has them', file.dropped, written.lost);
  equal('exit code', exitCode, 0);
  return findings.join('; ');
}

export function ringLoadRows(load: RingLoad): Row[] {
  const { written, events, file } = load;
  return [
    ['records a second', million(written.sent / written.seconds).replace('events', 'records')],
    ['lost', `${count(events.dropped)} of ${count(events.emitted)}`],
    ['event loop late, p99', `${ms(load.delayP99Ms)} (longest ${ms(load.delayMaxMs)})`],
    ['CPU of the thread that reads, draws and records, of a core', percent(load.cpuShare)],
    waitedRow(load.waitedShare),
    ['recorded meanwhile', `${count(file.records)} records, ${(file.bytes / file.records).toFixed(1)} bytes each`],
    ['books at the end', ringFindings(load) || 'every record counted'],
  ];
}
