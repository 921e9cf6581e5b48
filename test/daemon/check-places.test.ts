// SPDX-License-Identifier: MIT
/** The places where a daemon will listen and write are checked before it starts, and the check creates nothing. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkUsersFor } from '../../src/actions/users.js';
import { checkDirectory, checkPlaces } from '../../src/daemon/check-places.js';
import { parseConfig } from '../../src/daemon/read-config.js';
import { scratch } from './support.js';

const isRoot = process.geteuid?.() === 0;

async function check(text: string): Promise<readonly string[]> {
  const { config } = await parseConfig(text, 'x');
  const { metrics, socket } = config;
  // By default both are used.
  return checkPlaces(
    {
      ...config,
      metrics: text.includes('[metrics]') ? metrics : { ...metrics, listen: '' },
      socket: text.includes('[socket]') ? socket : { ...socket, path: '' },
    },
    null,
  );
}

test('addresses, sockets and directories that no start can use are refused', async () => {
  for (const [text, why] of [
    ['[metrics]\nlisten = "203.0.113.9:9753"', /this host has no such address/],
    ['[metrics]\nlisten = "256.1.1.1:9753"', /no such host/],
    ['[socket]\npath = "/etc/passwd"', /what is there is not a socket/],
    ['[socket]\npath = "/etc"', /what is there is not a socket/],
    ['[socket]\npath = "/no/such/directory/socket"', /its directory does not exist/],
    ['[socket]\npath = "/etc/passwd/socket"', /cannot listen at/],
    ['[flight]\nkeep = "30s"\ndirectory = "/etc/passwd"', /\/etc\/passwd is not a directory/],
    ['[flight]\nkeep = "30s"\ndirectory = "/etc/passwd/below"', /\/etc\/passwd is not a directory/],
    ['[lake]\ndirectory = "/etc/passwd"', /\/etc\/passwd is not a directory/],
  ] as const)
    await assert.rejects(check(text), why, text);
});

test('what the start makes may be missing, and is not made', async (t) => {
  const { path, remove } = scratch();
  t.after(remove);
  const wanted = join(path, 'not', 'there', 'yet');
  assert.deepEqual(await check(`[flight]\nkeep = "30s"\ndirectory = "${wanted}"`), []);
  assert.ok(!existsSync(join(path, 'not')));
  assert.deepEqual(await check(`[socket]\npath = "${join(path, 'socket')}"`), []);
  assert.match((await check('[socket]\npath = "/run/of-a-service/socket"')).join(), /whoever starts the service/);
});

test('a directory that the daemon’s user may not write to is refused, whatever root may', {
  skip: isRoot ? false : 'only root becomes somebody else',
}, (t) => {
  const { path, remove } = scratch();
  t.after(remove);
  const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 };
  chmodSync(path, 0o755);
  const [closed, open] = [join(path, 'closed'), join(path, 'open')];
  mkdirSync(closed, { mode: 0o700 });
  mkdirSync(open);
  chmodSync(open, 0o777);
  checkDirectory(open, nobody);
  assert.throws(() => checkDirectory(closed, nobody), /cannot write files to .*: permission denied/);
  checkDirectory(closed, null);
  writeFileSync(join(path, 'file'), '');
  assert.throws(() => checkDirectory(join(path, 'file'), nobody), /is not a directory/);
});

test('actions that name another user than the daemon becomes are refused', async () => {
  const { actions } = await parseConfig('[[action]]\ntype = "exec"\nargv = ["/bin/true"]\nuid = 4711\ngid = 4712', 'x');
  checkUsersFor(actions, { uid: 4711, gid: 4712 });
  assert.throws(() => checkUsersFor(actions, { uid: 4711, gid: 0 }), /may not change its gid/);
  assert.throws(() => checkUsersFor(actions, { uid: 0, gid: 4712 }), /may not change its uid/);
});
