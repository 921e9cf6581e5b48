// SPDX-License-Identifier: MIT
/** How soon the program is there, and what it takes of memory while nothing happens. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MAIN } from '../cli/run.js';
import { scratch } from '../daemon/support.js';
import { startDaemon } from '../soak/daemon-child.js';
import { median } from '../soak/levels.js';
import { takenBy } from '../soak/proc.js';
import { webhookSink } from '../soak/visitors.js';
import { bundledRecording } from '../tui/bundled.js';
import { inTerminal } from './in-terminal.js';
import { mib, type Row } from './words.js';

const GENERATOR = fileURLToPath(new URL('./idle-generate.js', import.meta.url));
const OPEN_FAULTS = 16_384;

export interface ReadyOptions {
  readonly starts: number;
  /** How long it is at rest before its memory is looked at. */
  readonly restSeconds: number;
}

export interface Ready {
  /** Medians, ms; beside each that of `node -e 0`, started in turn with it. */
  readonly help: { readonly ms: number; readonly nodeMs: number };
  readonly firstFrame: { readonly ms: number; readonly nodeMs: number };
  /** Resident memory at rest, bytes. */
  readonly rss: { readonly daemon: number; readonly dashboard: number; readonly stat: number };
}

function startMs(argv: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [...argv], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${argv.join(' ')}: ${stderr}`);
  return performance.now() - begun;
}

/** Medians of what `one` takes and of bare starts of Node, in turn: the machine's pace varies. */
async function beside(times: number, one: () => number | Promise<number>): Promise<Ready['help']> {
  const [ours, node]: [number[], number[]] = [[], []];
  for (let i = 0; i < times; i++) {
    ours.push(await one());
    node.push(startMs(['-e', '0']));
  }
  return { ms: median(ours), nodeMs: median(node) };
}

async function firstFrameMs(): Promise<number> {
  const begun = performance.now();
  const { pty, drawn, ended, said } = inTerminal(process.execPath, [MAIN, 'replay', bundledRecording()]);
  const over = ended.then(() => {
    throw new Error(`it ended before its first frame: ${JSON.stringify(said())}`);
  });
  await Promise.race([drawn, over]);
  const took = performance.now() - begun;
  over.catch(() => {}); // it is ended now
  pty.write('q');
  await ended;
  return took;
}

/** Of a program that reads a session in which nothing happens any more, after `seconds`. */
async function rssOf(argv: readonly string[], seconds: number): Promise<number> {
  const directory = scratch();
  const fifo = join(directory.path, 'stream');
  execFileSync('mkfifo', [fifo]);
  const words = (command: readonly string[]): string =>
    [process.execPath, ...command].map((word) => `'${word}'`).join(' ');
  const { pty, ended, said } = inTerminal('/bin/sh', ['-c', `exec ${words([MAIN, ...argv])} <'${fifo}'`]);
  const generator = spawn('/bin/sh', ['-c', `exec ${words([GENERATOR, bundledRecording()])} >'${fifo}'`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  let over = false;
  void ended.then(() => {
    over = true;
  });
  try {
    await delay(seconds * 1000);
    if (over) throw new Error(`it did not stay: ${JSON.stringify(said())}`);
    return takenBy(pty.pid).rssBytes;
  } finally {
    generator.kill('SIGKILL');
    pty.kill('SIGTERM');
    await ended;
    directory.remove();
  }
}

async function daemonRss(seconds: number): Promise<number> {
  const directory = scratch();
  chmodSync(directory.path, 0o777);
  const webhook = await webhookSink();
  const generator = spawn(process.execPath, [GENERATOR], { stdio: ['pipe', 'pipe', 'inherit'] });
  const daemon = await startDaemon(directory.path, generator.stdout, OPEN_FAULTS, webhook.port);
  try {
    await delay(seconds * 1000);
    return takenBy(daemon.pid).rssBytes;
  } finally {
    daemon.process.kill('SIGKILL');
    generator.kill('SIGKILL');
    webhook.server.close();
    directory.remove();
  }
}

export async function benchReady({ starts, restSeconds }: ReadyOptions): Promise<Ready> {
  return {
    help: await beside(starts, () => startMs([MAIN, '--help'])),
    firstFrame: await beside(starts, firstFrameMs),
    rss: {
      daemon: await daemonRss(restSeconds),
      dashboard: await rssOf(['replay', '-'], restSeconds),
      stat: await rssOf(['stat', '--interval', '1', '-'], restSeconds),
    },
  };
}

export function readyRows({ help, firstFrame, rss }: Ready): Row[] {
  const took = (of: Ready['help']): string => `${Math.round(of.ms)} ms (\`node -e 0\`: ${Math.round(of.nodeMs)} ms)`;
  return [
    ['`vmalocktop --help` (goal: 120 ms)', took(help)],
    ['first frame of a replay (goal: 400 ms)', took(firstFrame)],
    ['daemon at rest, RSS (goal: 90 MiB)', mib(rss.daemon)],
    ['dashboard at rest, RSS (goal: 110 MiB)', mib(rss.dashboard)],
    ['`stat` at rest, RSS (goal: 80 MiB)', mib(rss.stat)],
  ];
}
