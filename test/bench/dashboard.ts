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
import { type IPty, spawn } from '@lydell/node-pty';
import type { Took } from '../../cli/tui/context.js';
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { Endless } from '../core/endless.js';
import { writePaced } from '../core/paced.js';
import { syntheticSession } from '../core/session.js';
import { bundledRecording } from '../tui/bundled.js';
import type { DashboardFigures } from './dashboard-child.js';

const CHILD = fileURLToPath(new URL('./dashboard-child.js', import.meta.url));
const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
const COLUMNS = 160;
const ROWS = 45;
const RATE = 100_000;
const THREADS = 2000;
const FAULTS = 24_000;
const SECONDS = 20;
const FIRST_FRAMES = 5;

export interface DashboardCost extends DashboardFigures {
  readonly eventsPerSec: number;
  /** Milliseconds from the start of `vmalocktop replay FILE` to its first frame with figures; median. */
  readonly firstFrameMs: number;
  /** Shares of one core; null where htop is not installed. */
  readonly htop: { readonly cpuShare: number; readonly rssBytes: number } | null;
}

function inTerminal(command: string, args: readonly string[]): IPty {
  return spawn(command, [...args], {
    cols: COLUMNS,
    rows: ROWS,
    name: 'xterm-256color',
    env: process.env as Record<string, string>,
  });
}

async function writeStream(path: string): Promise<number> {
  const stream = new Endless({ faults: FAULTS, threads: THREADS, rate: RATE, unfinished: false });
  const writer = await createRecordingWriter(syntheticSession(), streamSink(createWriteStream(path), path));
  const { perSecond } = await writePaced(stream, writer, RATE, SECONDS);
  await writer.end();
  return perSecond;
}

async function firstFrame(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < FIRST_FRAMES; i++) {
    const begun = performance.now();
    const pty = inTerminal(process.execPath, [MAIN, 'replay', bundledRecording()]);
    const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()));
    let text = '';
    times.push(
      await new Promise<number>((resolve) => {
        pty.onData((chunk) => {
          text += chunk;
          if (/decoded/.test(text)) resolve(performance.now() - begun);
        });
      }),
    );
    pty.write('q');
    await ended;
  }
  return times.sort((a, b) => a - b)[FIRST_FRAMES >> 1] ?? Number.NaN;
}

const TICKS_PER_SEC = 100;

/** CPU time (s) and memory of a process, from /proc. */
function usage(pid: number): { cpu: number; rss: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, rss = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC, rss: Number(rss) * 1024 };
}

async function htop(): Promise<DashboardCost['htop']> {
  try {
    execFileSync('htop', ['--version'], { stdio: 'ignore' });
  } catch {
    return null;
  }
  const pty = inTerminal('htop', ['-d', '10']);
  await delay(2000);
  const before = usage(pty.pid);
  const begun = performance.now();
  await delay(10_000);
  const after = usage(pty.pid);
  const seconds = (performance.now() - begun) / 1000;
  pty.kill();
  return { cpuShare: (after.cpu - before.cpu) / seconds, rssBytes: after.rss };
}

export async function benchDashboard(): Promise<DashboardCost> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-'));
  const [fifo, output] = [join(dir, 'stream'), join(dir, 'figures')];
  try {
    execFileSync('mkfifo', [fifo]);
    const command = `exec '${process.execPath}' '${CHILD}' '${output}' <'${fifo}'`;
    const pty = inTerminal('/bin/sh', ['-c', command]);
    const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()));
    let said = '';
    pty.onData((chunk) => {
      said = (said + chunk).slice(-2000);
    });
    // The stream is made by a process of its own: it must not share our event loop with the terminal's end.
    const eventsPerSec = await paced(fifo);
    await ended;
    const figures = readFigures(output, said);
    return { ...figures, eventsPerSec, firstFrameMs: await firstFrame(), htop: await htop() };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
const ms = (value: number): string => `${value.toFixed(1)} ms`;

/** The figures as rows of a table. */
export function dashboardRows(cost: DashboardCost): (readonly [string, string])[] {
  const sum = (values: readonly Took[]): number => values.reduce((all, { cpuMs }) => all + cpuMs, 0);
  const most = (values: readonly Took[], of: (took: Took) => number): number => Math.max(...values.map(of));
  const { frames, snapshots, seconds, htop } = cost;
  const rows: [string, string][] = [
    ['drawing, of a core', percent(sum(frames) / 1000 / seconds)],
    ['snapshots, of a core', percent(sum(snapshots) / 1000 / seconds)],
    ['all of it, events read and folded too, of a core', percent(cost.cpuShare)],
    [
      'longest frame',
      `${ms(most(frames, (took) => took.cpuMs))} CPU, ${ms(most(frames, (took) => took.wallMs))} by the clock`,
    ],
    ['peak RSS', mib(cost.peakRssBytes)],
    ['first frame of a replay', `${Math.round(cost.firstFrameMs)} ms`],
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
