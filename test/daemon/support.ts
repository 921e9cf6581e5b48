// SPDX-License-Identifier: MIT
/** Sources that need no kernel, and the daemon's command line as a process. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBatch } from '../../src/core/events/batch.js';
import { Daemon, type DaemonSource } from '../../src/daemon/daemon.js';
import { parseConfig } from '../../src/daemon/read-config.js';
import type { StreamSocket } from '../../src/daemon/socket.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { MAIN } from '../cli/run.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';

/** A session of `seconds`, given out as fast as it is taken, with a turn of the event loop between batches. */
export function sessionSource(seconds: number, extra: Partial<DaemonSource> = {}): DaemonSource {
  let closed = false;
  async function* batches(): AsyncGenerator<EventBatch> {
    for (const batch of liveSession({ seconds })) {
      if (closed) return;
      yield batch;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return {
    session: LIVE_SESSION,
    batches,
    close: async () => {
      closed = true;
    },
    ...extra,
  };
}

export interface Made {
  readonly daemon: Daemon;
  readonly lines: string[];
}

export async function makeDaemon(
  source: DaemonSource,
  toml: string,
  socket: StreamSocket | null = null,
): Promise<Made> {
  const lines: string[] = [];
  const loaded = await parseConfig(toml, 'test.toml');
  const daemon = await Daemon.create({ loaded, source, socket, residency: null, log: (line) => lines.push(line) });
  return { daemon, lines };
}

let startMs: number | undefined;

/** How long the program takes to start and to end here and now, measured once. */
function pace(): number {
  if (startMs === undefined) {
    const begun = performance.now();
    spawnSync(process.execPath, [MAIN, '--version']);
    startMs = performance.now() - begun;
  }
  return startMs;
}

/** Polls until it is `good`, for no longer than `starts` starts of the program take on this machine. */
export async function until<T>(what: () => T | Promise<T>, good: (value: T) => boolean, starts = 150): Promise<T> {
  const ms = starts * pace();
  const end = performance.now() + ms;
  for (;;) {
    const value = await what();
    if (good(value)) return value;
    if (performance.now() > end) throw new Error(`not within ${ms} ms; last: ${String(value)}`);
    await sleep(20);
  }
}

export const root: boolean = process.geteuid?.() === 0;

/** A directory anybody may use: as root the daemon becomes another user. Removed by `remove`. */
export function scratch(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'daemon-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A recording of `seconds` seconds of swap faults. */
export async function writeRecording(path: string, seconds: number): Promise<void> {
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(path));
  for (const batch of liveSession({ seconds })) await writer.write(batch);
  await writer.end();
}

export interface Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly pid: number;
  stderr: string;
  /** Of /metrics and /healthz. */
  readonly url: string;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts `daemon --play` and waits until it observes. `toml` goes on in `[metrics]`, which has a port of the kernel's choice. */
export async function startDaemon(directory: string, recording: string, toml: string): Promise<Running> {
  const config = join(directory, 'daemon.toml');
  // The default user is made by the package: this host need not have it.
  const user = toml.includes('[privileges]') ? '' : '[privileges]\nuser = "nobody"\n';
  writeFileSync(config, `[metrics]\nlisten = "127.0.0.1:0"\n${toml}\n${user}`);
  const child = spawn(process.execPath, [MAIN, 'daemon', '--config', config, '--play', recording], { stdio: 'pipe' });
  const running = {
    process: child,
    pid: child.pid ?? 0,
    stderr: '',
    url: '',
    end: async (signal: NodeJS.Signals): Promise<number | null> => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exit = once(child, 'exit');
      child.kill(signal);
      const [code] = (await exit) as [number | null];
      return code;
    },
  };
  child.stderr.on('data', (bytes) => {
    running.stderr += String(bytes);
  });
  await until(
    () => running.stderr,
    (text) => text.includes('observing') || child.exitCode !== null,
  );
  const url = /(http:\S+)\/metrics/.exec(running.stderr)?.[1];
  if (url === undefined) throw new Error(`the daemon did not start: ${running.stderr}`);
  running.url = url;
  return running;
}
