// SPDX-License-Identifier: MIT
/**
 * What the dashboard costs: a stream of 100 000 events a second from 500 processes, shown at 160×45 in a
 * pseudo-terminal, with htop at the same size and interval beside it where it is installed.
 */
import { execFileSync, spawn as start } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Took } from '../../cli/tui/context.js';
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { Endless } from '../core/endless.js';
import { writePaced } from '../core/paced.js';
import { syntheticSession } from '../core/session.js';
import { takenBy } from '../soak/proc.js';
import type { DashboardFigures } from './dashboard-child.js';
import { inTerminal } from './in-terminal.js';
import { mib, ms, percent, type Row } from './words.js';

const CHILD = fileURLToPath(new URL('./dashboard-child.js', import.meta.url));
const RATE = 100_000;
const THREADS = 2000;
const FAULTS = 24_000;
const SECONDS = 20;

export interface DashboardCost extends DashboardFigures {
  readonly eventsPerSec: number;
  /** Shares of one core; null where htop is not installed. */
  readonly htop: { readonly cpuShare: number; readonly rssBytes: number } | null;
}

async function writeStream(path: string): Promise<number> {
  const stream = new Endless({ faults: FAULTS, threads: THREADS, rate: RATE, unfinished: false });
  const writer = await createRecordingWriter(syntheticSession(), streamSink(createWriteStream(path), path));
  const { perSecond } = await writePaced(stream, writer, RATE, SECONDS);
  await writer.end();
  return perSecond;
}

async function htop(): Promise<DashboardCost['htop']> {
  try {
    execFileSync('htop', ['--version'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const { pty } = inTerminal('htop', ['-d', '10']);
  await delay(2000);
  const before = takenBy(pty.pid);
  const begun = performance.now();
  await delay(10_000);
  const after = takenBy(pty.pid);
  const seconds = (performance.now() - begun) / 1000;
  pty.kill();
  return { cpuShare: (after.cpuSeconds - before.cpuSeconds) / seconds, rssBytes: after.rssBytes };
}

export async function benchDashboard(): Promise<DashboardCost> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const [fifo, output] = [join(dir, 'stream'), join(dir, 'figures')];
  try {
    execFileSync('mkfifo', [fifo]);
    const command = `exec '${process.execPath}' '${CHILD}' '${output}' <'${fifo}'`;
    const { ended, said } = inTerminal('/bin/sh', ['-c', command]);
    // The stream is made by a process of its own: it must not share our event loop with the terminal's end.
    const eventsPerSec = await paced(fifo);
    await ended;
    const figures = readFigures(output, said());
    return { ...figures, eventsPerSec, htop: await htop() };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The figures as rows of a table. */
export function dashboardRows(cost: DashboardCost): Row[] {
  const sum = (values: readonly Took[]): number => values.reduce((all, { cpuMs }) => all + cpuMs, 0);
  const most = (values: readonly Took[], of: (took: Took) => number): number => Math.max(...values.map(of));
  const { frames, snapshots, seconds, htop } = cost;
  const rows: Row[] = [
    ['drawing, of a core', percent(sum(frames) / 1000 / seconds)],
    ['snapshots, of a core', percent(sum(snapshots) / 1000 / seconds)],
    ['all of it, events read and folded too, of a core', percent(cost.cpuShare)],
    [
      'longest frame',
      `${ms(most(frames, (took) => took.cpuMs))} CPU, ${ms(most(frames, (took) => took.wallMs))} by the clock`,
    ],
    ['peak RSS', mib(cost.peakRssBytes)],
  ];
  rows.push(
    htop === null
      ? ['htop beside it', 'not installed']
      : ['htop beside it, over this machine', `${percent(htop.cpuShare)} of a core, ${mib(htop.rssBytes)}`],
  );
  return rows;
}

function readFigures(path: string, said: string): DashboardFigures {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as DashboardFigures;
  } catch (error) {
    throw new Error(`the dashboard left no figures: ${JSON.stringify(said)}`, { cause: error });
  }
}

function paced(fifo: string): Promise<number> {
  const child = start(process.execPath, [fileURLToPath(import.meta.url), fifo], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(Number(text)));
  });
}

const [, self, path] = process.argv;
if (self === fileURLToPath(import.meta.url) && path !== undefined) process.stdout.write(`${await writeStream(path)}\n`);
