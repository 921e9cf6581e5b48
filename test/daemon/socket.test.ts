// SPDX-License-Identifier: MIT
/** The session at a Unix socket: clients that come late, clients that read slowly, and many at once. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { connectDaemon } from '../../src/daemon/connect.js';
import type { DaemonSource } from '../../src/daemon/daemon.js';
import { listenSocket, type StreamSocket } from '../../src/daemon/socket.js';
import { letIn } from '../../src/daemon/socket-place.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';
import { makeDaemon, scratch, sessionSource, until } from './support.js';

const LIMITS = { clients: 64, clientBuffer: 8 * 2 ** 20 };
const QUIET = '[alerts]\nenabled = false\n[budget]\ndrops = false\ncpu_percent = 0\nmemory = "0"';

const directory = scratch();
process.on('exit', () => directory.remove());
let number = 0;
const freePath = (): string => join(directory.path, `socket-${number++}`);
const open: StreamSocket[] = [];

afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close();
});

async function listen(limits = LIMITS): Promise<{ socket: StreamSocket; path: string }> {
  const path = freePath();
  const socket = await listenSocket(path, null, limits);
  open.push(socket);
  return { socket, path };
}

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
  const chunk = (): void => {
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
  const pace = setInterval(chunk, 4000 / (behind / 65536));
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

test('the file is for owner and group alone', async () => {
  const { path } = await listen();
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

test('what a killed daemon left is replaced; a daemon that lives is not, nor anything else', async () => {
  const { path } = await listen();
  await assert.rejects(listenSocket(path, null, LIMITS), /another daemon listens there/);
  const stale = freePath();
  const server = createServer().listen(stale);
  await new Promise((resolve) => server.once('listening', resolve));
  // Closed behind Node's back, which would unlink it.
  renameSync(stale, `${stale}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${stale}.kept`, stale);
  open.push(await listenSocket(stale, null, LIMITS));
  const file = freePath();
  writeFileSync(file, 'mine');
  await assert.rejects(listenSocket(file, null, LIMITS), /is not a socket/);
});

/** A socket at `path` that nobody listens at. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.made`);
  await new Promise((resolve) => server.once('listening', resolve));
  renameSync(`${path}.made`, path);
  await new Promise((resolve) => server.close(resolve));
}

test('another directory in the place of its own, while it is looked at, has nothing removed and nothing made', async () => {
  const [own, other, way] = [freePath(), freePath(), freePath()];
  for (const path of [own, other]) {
    mkdirSync(path);
    await leaveSocket(join(path, 'socket'));
  }
  symlinkSync(own, way);
  const before = statSync(join(other, 'socket')).ino;
  const listening = listenSocket(join(way, 'socket'), null, LIMITS);
  unlinkSync(way);
  symlinkSync(other, way);
  open.push(await listening);
  assert.deepEqual([readdirSync(other), statSync(join(other, 'socket')).ino], [['socket'], before]);
  assert.deepEqual(readdirSync(own), ['socket']);
  const client = connect(join(own, 'socket'));
  await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject));
  client.destroy();
});

test('what has its name by the end is not removed, and its own file is', async () => {
  const { socket, path } = await listen();
  renameSync(path, `${path}.moved`);
  writeFileSync(path, 'mine');
  await socket.close();
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  const another = await listen();
  await another.socket.close();
  assert.equal(existsSync(another.path), false);
});

test('what a daemon left that was killed while it started is no obstacle, and a name too long to connect to is refused', async () => {
  const directory_ = freePath();
  mkdirSync(directory_);
  const path = join(directory_, 'socket');
  open.push(await listenSocket(path, null, LIMITS));
  const half = `.vmalocktop-${createHash('sha256').update('other').digest('hex').slice(0, 12)}`;
  await leaveSocket(join(directory_, half));
  open.push(await listenSocket(join(directory_, 'other'), null, LIMITS));
  assert.deepEqual(readdirSync(directory_).sort(), ['other', 'socket']);
  await assert.rejects(listenSocket(join(directory_, 'é'.repeat(50)), null, LIMITS), /107 bytes at most/);
});

test('who finds nobody is told what to do', async () => {
  await assert.rejects(connectDaemon(freePath()), /there is no such socket/);
  const file = freePath();
  writeFileSync(file, '');
  await assert.rejects(connectDaemon(file), /cannot connect to/);
});

test('what somebody put in the place of a new socket is not opened to the group', async () => {
  const { path } = await listen();
  const victim = freePath();
  writeFileSync(victim, '', { mode: 0o600 });
  const link = freePath();
  symlinkSync(victim, link);
  const toSocket = freePath();
  symlinkSync(path, toSocket);
  for (const name of [link, victim, toSocket])
    assert.throws(() => letIn(name, null), /somebody else put something/, name);
  assert.equal(statSync(victim).mode & 0o777, 0o600);
  letIn(path, null);
  assert.equal(statSync(path).mode & 0o777, 0o660);
});
