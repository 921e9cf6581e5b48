// SPDX-License-Identifier: MIT
/** Fifty clients, and one that stops reading: the ring is drained as promptly as without clients, so it has as much room. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { DaemonSource } from '../../src/daemon/daemon.js';
import { pacedSource } from '../../src/daemon/paced.js';
import { listenSocket } from '../../src/daemon/socket.js';
import { patience } from '../pace.js';
import { median } from '../soak/levels.js';
import { makeDaemon, scratch, sessionSource, until } from './support.js';

const SECONDS = 16;
/** 18 000 rows a second. */
const SPEED = 4;
const QUIET = '[alerts]\nenabled = false\n[budget]\ndrops = false\ncpu_percent = 0\nmemory = "0"';
/** In a process of its own: what its clients do must not be taken for what the daemon does. */
const CROWD = `
const net = require('net');
const [path, count] = [process.argv[1], Number(process.argv[2])];
let ended = 0, bytes = 0;
for (let i = 0; i < count; i++)
  net.connect(path).on('data', (chunk) => { bytes += chunk.length; }).once('end', () => { ended++; if (ended === count) console.log(JSON.stringify({ ended, bytes })); });
net.connect(path).pause();
setTimeout(() => {}, 1e9);
`;

interface Run {
  /** ms from when a batch was there to when the daemon asked for the next one; median and 99th percentile. */
  readonly median: number;
  readonly p99: number;
  readonly dropped: number;
  readonly read: { readonly ended: number; readonly bytes: number } | null;
}

function timed(source: DaemonSource, took: number[]): DaemonSource {
  async function* batches(): AsyncGenerator<EventBatch> {
    for await (const batch of source.batches()) {
      const there = performance.now();
      yield batch;
      took.push(performance.now() - there);
    }
  }
  return { ...source, batches };
}

async function run(clients: number): Promise<Run> {
  const directory = scratch();
  const path = join(directory.path, 'socket');
  const socket = await listenSocket(path, null, { clients: 64, clientBuffer: 64 * 1024 });
  const crowd =
    clients === 0
      ? null
      : spawn(process.execPath, ['-e', CROWD, path, String(clients)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  crowd?.stdout.on('data', (bytes) => {
    said += String(bytes);
  });
  try {
    await until(
      () => socket.figures.clients,
      (n) => n === (clients === 0 ? 0 : clients + 1),
    );
    const took: number[] = [];
    const { daemon } = await makeDaemon(timed(pacedSource(sessionSource(SECONDS), SPEED), took), QUIET, socket);
    await daemon.run();
    if (crowd !== null)
      await until(
        () => said,
        (text) => text.includes('\n'),
      );
    took.sort((x, y) => x - y);
    return {
      median: median(took),
      p99: took[Math.floor(took.length * 0.99)] ?? Number.NaN,
      dropped: socket.figures.dropped,
      read: crowd === null ? null : (JSON.parse(said) as Run['read']),
    };
  } finally {
    if (crowd !== null) {
      const gone = once(crowd, 'exit');
      crowd.kill('SIGKILL');
      await gone;
    }
    await socket.close();
    directory.remove();
  }
}

test('fifty clients and one that stopped reading do not hold up the drain', async (t) => {
  const alone = await run(0);
  const crowded = await run(50);
  const words = (it: Run): string => `${it.median.toFixed(2)} ms, 99 % within ${it.p99.toFixed(1)} ms`;
  t.diagnostic(`a batch takes ${words(alone)}; with fifty-one clients ${words(crowded)}`);
  assert.equal(crowded.dropped, 1, 'the one that stopped reading, and no other');
  assert.equal(crowded.read?.ended, 50);
  assert.ok((crowded.read?.bytes ?? 0) > 50 * 500_000, `${crowded.read?.bytes} bytes`);
  // A client that was waited for would hold it up for as long as it likes; a busy machine, for some milliseconds.
  assert.ok(crowded.median < alone.median + patience(3), words(crowded));
  assert.ok(crowded.p99 < alone.p99 + patience(30), words(crowded));
});
