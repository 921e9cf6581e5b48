// SPDX-License-Identifier: MIT
/** The socket as a file: who may open it, what of others is in its place, and what is left of it. */
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
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { listenSocket } from '../../src/daemon/socket.js';
import { letIn } from '../../src/daemon/socket-place.js';
import { closeSockets, freePath, LIMITS, listen, open } from './sockets.js';

afterEach(closeSockets);

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
