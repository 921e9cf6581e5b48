// SPDX-License-Identifier: MIT
/** The session at a Unix socket: clients that come late, clients that read slowly, and many at once. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { connectDaemon } from '../../src/daemon/connect.js';
import type { DaemonSource } from '../../src/daemon/daemon.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';
import { closeSockets, freePath, listen } from './sockets.js';
import { makeDaemon, sessionSource, until } from './support.js';

const QUIET = '[alerts]\nenabled = false\n[budget]\ndrops = false\ncpu_percent = 0\nmemory = "0"';

afterEach(closeSockets);

/** A session that waits for `go` before each batch from the second `half` of the session on. */
function gatedSource(seconds: number, from: number, go: Promise<void>): DaemonSource {
  async function* batches(): AsyncGenerator<EventBatch> {
    for (const batch of liveSession({ seconds })) {
      if (batch.length > 0 && (batch.time[0] as number) >= from) await go;
      yield batch;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { session: LIVE_SESSION, batches, close: async () => {} };
}

async function readAll(path: string): Promise<Snapshot> {
  const source = await connectDaemon(path);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  assert.equal(source.truncated, null);
  return pipeline.snapshot();
}

test('who is there from the beginning sees what the daemon sees', async () => {
  const { socket, path } = await listen();
  const reading = readAll(path);
  await until(
    () => socket.figures.clients,
    (n) => n === 1,
  );
  const { daemon } = await makeDaemon(sessionSource(2), QUIET, socket);
  await daemon.run();
  const seen = await reading;
  await sleep(300); // the daemon's own is taken anew
  const own = daemon.snapshot();
  assert.ok(own.retry.total > 1000);
  assert.deepEqual(seen.counts, own.counts);
  assert.deepEqual(seen.retry, own.retry);
  assert.deepEqual(seen.lifecycles, own.lifecycles);
  assert.equal(seen.ended, true);
});

test('who comes in the middle sees the rest: books that close, and names that were said before', async () => {
  const { socket, path } = await listen();
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { daemon } = await makeDaemon(gatedSource(4, 2e9, gate), QUIET, socket);
  const running = daemon.run();
  await until(
    () => daemon.snapshot().time,
    (time) => time > 1.9e9,
  );
  const reading = readAll(path);
  await until(
    () => socket.figures.clients,
    (n) => n === 1,
  );
  go();
  await running;
  const seen = await reading;
  await sleep(300);
  const own = daemon.snapshot();
  assert.ok(seen.retry.total > 1000 && seen.retry.total < own.retry.total, `${seen.retry.total} of ${own.retry.total}`);
  assert.equal(seen.events.emitted, seen.events.decoded + seen.events.dropped);
  assert.equal(seen.lifecycles.incomplete, 0);
  assert.equal(seen.swap.devices[0]?.name, '/dev/zram0');
});

test('who stops reading is dropped and counted; the others and the drain do not wait', async () => {
  const { socket, path } = await listen({ clients: 64, clientBuffer: 64 * 1024 });
  const asleep = connect(path);
  asleep.pause();
  const reading = readAll(path);
  await until(
    () => socket.figures.clients,
    (n) => n === 2,
  );
  const { daemon } = await makeDaemon(sessionSource(60), QUIET, socket);
  await daemon.run();
  const { dropped, clients } = socket.figures;
  assert.equal(dropped, 1);
  assert.equal(clients, 1);
  assert.equal((await reading).ended, true);
  asleep.destroy();
});

test('at the end a client that still reads is waited for, however slow it is; one that does not is not', async (t) => {
  const { socket, path } = await listen();
  const [fast, slow, asleep] = [connect(path), connect(path), connect(path)];
  asleep.pause();
  const taken = { fast: 0, slow: 0 };
  fast.on('data', (bytes) => {
    taken.fast += bytes.length;
  });
  // Once it takes nothing for longer than between two looks, as one that gets no CPU.
  let begin = 0;
  const chunk = (): void => {
    const gone = performance.now() - begin;
    if (gone > 500 && gone < 5000) return;
    const bytes = slow.read(Math.min(slow.readableLength, 65536)) as Buffer | null;
    taken.slow += bytes?.length ?? 0;
  };
  const ends = [fast, slow].map((client) => new Promise((resolve) => client.once('end', resolve)));
  await until(
    () => socket.figures.clients,
    (n) => n === 3,
  );
  const { daemon } = await makeDaemon(sessionSource(60), QUIET, socket);
  let closed = false;
  const running = daemon
    .run()
    .then(() => socket.close())
    .then(() => {
      closed = true;
    });
  await ends[0];
  const behind = taken.fast;
  // Longer in all than a client that takes nothing is waited for.
  begin = performance.now();
  const pace = setInterval(chunk, 20);
  await ends[1];
  clearInterval(pace);
  t.diagnostic(`${taken.fast} bytes`);
  assert.ok(behind > 2 ** 19, `${behind}`);
  assert.equal(taken.slow, taken.fast);
  await running;
  assert.ok(closed);
  asleep.destroy();
});

test('fifty at once get it all, for one encoding', async (t) => {
  const time = async (clients: number): Promise<number> => {
    const { socket, path } = await listen();
    const all: Promise<number>[] = [];
    for (let i = 0; i < clients; i++) all.push(countBytes(connect(path)));
    await until(
      () => socket.figures.clients,
      (n) => n === clients,
    );
    const { daemon } = await makeDaemon(sessionSource(20), QUIET, socket);
    const cpu = process.cpuUsage();
    await daemon.run();
    const { user, system } = process.cpuUsage(cpu);
    await socket.close();
    const bytes = await Promise.all(all);
    assert.equal(new Set(bytes).size, clients === 0 ? 0 : 1, 'each got the same');
    assert.equal(socket.figures.dropped, 0);
    return (user + system) / 1000;
  };
  await time(1);
  const one = await time(1);
  const fifty = await time(50);
  t.diagnostic(
    `20 s of a session at 4500 rows/s: ${one.toFixed(0)} ms of CPU with one client, ${fifty.toFixed(0)} ms with fifty (both ends)`,
  );
  // Were each encoded for by itself, it would be near fifty times as much.
  assert.ok(fifty < one * 10, `${fifty} ms against ${one} ms`);
});

function countBytes(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  return new Promise((resolve) => socket.once('close', () => resolve(bytes)));
}

test('more than are let in are turned away', async () => {
  const { socket, path } = await listen({ clients: 2, clientBuffer: 2 ** 20 });
  const sockets = [connect(path), connect(path), connect(path)];
  for (const client of sockets) client.on('error', () => {});
  await until(
    () => socket.figures.refused,
    (n) => n === 1,
  );
  assert.equal(socket.figures.clients, 2);
  for (const client of sockets) client.destroy();
});

test('who finds nobody is told what to do', async () => {
  await assert.rejects(connectDaemon(freePath()), /there is no such socket/);
  const file = freePath();
  writeFileSync(file, '');
  await assert.rejects(connectDaemon(file), /cannot connect to/);
});
