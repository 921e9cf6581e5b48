// SPDX-License-Identifier: MIT
/** Where outputs go: descriptors, our own links, and never through those of others; and whose the file is. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createFile } from '../../src/output/new-file.js';
import { fileOutput, writeText } from '../../src/output/output.js';
import { findPlace, type SpecialPlace, sudoOwner } from '../../src/output/place.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { MAIN } from '../cli/run.js';
import { RECORDING, scratch } from './support.js';

const isRoot = process.geteuid?.() === 0;
const ROOT_ONLY = isRoot ? false : 'only root can make files of others';

test('names of a descriptor and devices are written to as they are', (t) => {
  const directory = scratch(t);
  const target = join(directory, 'appended');
  writeFileSync(target, 'before\n');
  const stdout = openSync(target, 'a');
  const { status, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'export', RECORDING, '-f', 'csv', '-o', '/dev/stdout'],
    { stdio: ['ignore', stdout, 'pipe'] },
  );
  closeSync(stdout);
  assert.equal(status, 0, String(stderr));
  assert.match(readFileSync(target, 'utf8'), /^before\n/);
  assert.ok(lstatSync('/dev/stdout').isSymbolicLink());
});

test('our own links are followed', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'real'));
  symlinkSync('real/../real', join(directory, 'way'));
  symlinkSync('../aim', join(directory, 'real', 'link'));
  const output = await fileOutput(join(directory, 'way', 'link'));
  await writeText(output, 'text');
  await output.finish();
  assert.equal(readFileSync(join(directory, 'aim'), 'utf8'), 'text');
  symlinkSync('circle', join(directory, 'circle'));
  await assert.rejects(createFile(join(directory, 'circle')), { code: 'ELOOP' });
});

test('links and pipes of others in a directory of everybody are not', { skip: ROOT_ONLY }, async (t) => {
  const directory = scratch(t);
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'whole', { mode: 0o644 });
  const shared = join(directory, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  symlinkSync(victim, join(shared, 'file'));
  symlinkSync(join(directory, 'new'), join(shared, 'dangling'));
  symlinkSync(directory, join(shared, 'way'));
  assert.equal(spawnSync('mkfifo', [join(shared, 'pipe')]).status, 0);
  for (const name of ['file', 'dangling', 'way', 'pipe']) lchownSync(join(shared, name), 4711, 4711);
  for (const name of ['file', 'dangling', 'way/victim', 'pipe']) {
    await assert.rejects(fileOutput(join(shared, name)), /somebody else made/, name);
    await assert.rejects(fileSink(join(shared, name)), /somebody else made/, name);
  }
  // A name taken in advance is not written to either.
  await assert.rejects(fileSink(join(shared, 'dangling'), { exclusive: true }), /somebody else made/);
  assert.equal(readFileSync(victim, 'utf8'), 'whole');
  assert.deepEqual(readdirSync(directory).sort(), ['shared', 'victim']);
});

test('nor is what takes the place of a pipe, or of a directory on the way to it, after it was looked at', async (t) => {
  const directory = scratch(t);
  const victim = join(directory, 'victim');
  writeFileSync(victim, 'whole');
  const own = join(directory, 'own');
  mkdirSync(own);
  const pipe = join(own, 'pipe');
  const look = async (): Promise<SpecialPlace> => {
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const place = await findPlace(pipe);
    assert.ok(place.kind === 'special');
    return place;
  };
  const linked = await look();
  unlinkSync(pipe);
  symlinkSync(victim, pipe);
  await assert.rejects(linked.open(), /symbolic link/);
  unlinkSync(pipe);
  const moved = await look();
  renameSync(own, join(directory, 'elsewhere'));
  symlinkSync(join(directory, 'elsewhere'), own);
  await assert.rejects(moved.open(), /symbolic link/);
  unlinkSync(own);
  mkdirSync(own);
  const same = await look();
  const reader = spawn('cat', [pipe]);
  const said = text(reader.stdout);
  const handle = await same.open();
  await handle.write('through the pipe');
  await handle.close();
  assert.equal(await said, 'through the pipe');
  assert.equal(readFileSync(victim, 'utf8'), 'whole');
});

test('under sudo the file is the person’s', { skip: ROOT_ONLY }, (t) => {
  const directory = scratch(t);
  const output = join(directory, 'out.csv');
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'export', RECORDING, '-f', 'csv', '-o', output], {
    env: { ...process.env, SUDO_UID: '4711', SUDO_GID: '4712' },
  });
  assert.equal(status, 0, String(stderr));
  const { uid, gid, mode } = statSync(output);
  assert.deepEqual([uid, gid, mode & 0o777], [4711, 4712, 0o600]);
});

test('nobody is who no user can be', { skip: ROOT_ONLY }, (t) => {
  t.after(() => {
    delete process.env.SUDO_UID;
    delete process.env.SUDO_GID;
  });
  process.env.SUDO_GID = '4712';
  // -1 leaves setresuid(2) nothing to do, and 2 to the 32 is cut off to 0.
  for (const uid of ['4294967295', '4294967296', '9999999999', '-1', '', '0x10', '1e3', '4711 ']) {
    process.env.SUDO_UID = uid;
    assert.equal(sudoOwner(), null, uid);
  }
  process.env.SUDO_UID = '4294967294';
  assert.deepEqual(sudoOwner(), { uid: 4294967294, gid: 4712 });
});
