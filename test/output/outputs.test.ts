// SPDX-License-Identifier: MIT
/** Outputs never destroy anything: not the input, not an earlier file, not the target of a link. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFile } from '../../src/output/new-file.js';
import { fileOutput, writeText } from '../../src/output/output.js';
import { findPlace, type SpecialPlace, sudoOwner } from '../../src/output/place.js';
import { partPath } from '../../src/recording/format/files.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { MAIN, run } from '../cli/run.js';
import { LIVE_SESSION } from '../recording/live-session.js';

/** A small one: what is in it is nothing to these tests, and some fifty commands read it. */
const RECORDING = fileURLToPath(new URL('../../../test/golden/retry-vma-6.12.vmlt', import.meta.url));

const isRoot = process.geteuid?.() === 0;
const ROOT_ONLY = isRoot ? false : 'only root can make files of others';

function scratch(t: { after(work: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'vlt-out-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Every command that reads a recording and writes a file. */
const WRITERS: Readonly<Record<string, (input: string, output: string) => readonly string[]>> = {
  stat: (i, o) => ['stat', i, '-o', o],
  'stat --interval': (i, o) => ['stat', '--interval', '1', i, '-o', o],
  report: (i, o) => ['report', i, '-o', o],
  'report --against': (i, o) => ['report', RECORDING, '--against', i, '-o', o],
  'export csv': (i, o) => ['export', i, '-f', 'csv', '-o', o],
  'export perfetto': (i, o) => ['export', i, '-f', 'perfetto', '-o', o],
  'export parquet': (i, o) => ['export', i, '-f', 'parquet', '-o', o],
};

for (const [name, argv] of Object.entries(WRITERS)) {
  test(`${name}: the recording that is read is not written, by whatever name`, async (t) => {
    const directory = scratch(t);
    const input = join(directory, 't.vmlt');
    copyFileSync(RECORDING, input);
    linkSync(input, join(directory, 'hard.vmlt'));
    symlinkSync('t.vmlt', join(directory, 'soft.vmlt'));
    for (const output of ['t.vmlt', 'hard.vmlt', 'soft.vmlt']) {
      const { code, stderr } = await run(argv(input, join(directory, output)));
      assert.equal(code, 2, `${output}: ${stderr}`);
      assert.match(stderr, /it is the file that is read/);
      assert.deepEqual(readFileSync(input), readFileSync(RECORDING));
    }
    assert.deepEqual(readdirSync(directory).sort(), ['hard.vmlt', 'soft.vmlt', 't.vmlt']);
  });

  test(`${name}: an earlier file stays until there is another, which is ours alone`, async (t) => {
    const directory = scratch(t);
    const output = join(directory, 'out');
    writeFileSync(output, 'earlier', { mode: 0o644 });
    const failed = await run(argv(join(directory, 'none.vmlt'), output));
    assert.equal(failed.code, 2);
    assert.equal(readFileSync(output, 'utf8'), 'earlier');
    const { code, stderr } = await run(argv(RECORDING, output));
    assert.equal(code, 0, stderr);
    assert.notEqual(readFileSync(output, 'utf8').slice(0, 7), 'earlier');
    assert.equal(statSync(output).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory), ['out']);
  });
}

test('standard input and output are compared as well', (t) => {
  const directory = scratch(t);
  const input = join(directory, 't.vmlt');
  copyFileSync(RECORDING, input);
  const attempts: readonly (readonly [argv: readonly string[], from: string | null, to: string | null])[] = [
    [['stat', '-', '-o', input], input, null],
    [['export', '-', '-f', 'csv', '-o', input], input, null],
    [['stat', input], null, input],
    [['info', input], null, input],
    [['check', input], null, input],
    [['verdict', input], null, input],
    [['diff', RECORDING, input], null, input],
    [['replay', input], null, input],
  ];
  for (const [argv, from, to] of attempts) {
    const stdin = from === null ? 'ignore' : openSync(from, 'r');
    const stdout = to === null ? 'pipe' : openSync(to, 'a');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { stdio: [stdin, stdout, 'pipe'] });
    for (const fd of [stdin, stdout]) if (typeof fd === 'number') closeSync(fd);
    assert.equal(status, 2, `${argv.join(' ')}: ${String(stderr)}`);
    assert.match(String(stderr), /it is the file that is read/);
    assert.deepEqual(readFileSync(input), readFileSync(RECORDING));
  }
});

test('a part of a rotated recording is read under the name of the whole', async (t) => {
  const directory = scratch(t);
  const whole = join(directory, 't.vmlt');
  copyFileSync(RECORDING, partPath(whole, 1));
  const { code, stderr } = await run(['stat', whole, '-o', partPath(whole, 1)]);
  assert.equal(code, 2, stderr);
  assert.deepEqual(readFileSync(partPath(whole, 1)), readFileSync(RECORDING));
});

test('rules are not written over', async (t) => {
  const directory = scratch(t);
  const rules = join(directory, 'rules.toml');
  const text = '[[rule]]\nname = "a"\nwhen = "retry_rate > 1e9"\n';
  writeFileSync(rules, text);
  for (const argv of [
    ['stat', RECORDING, '--rules', rules, '--fail-on', 'a', '-o', rules],
    ['record', '--rules', rules, '--fail-on', 'a', '-o', rules],
    ['record', '--rules', rules, '--fail-on', 'a', '-o', join(directory, 'x.vmlt'), '--stat', rules],
  ]) {
    assert.equal((await run(argv)).code, 2, argv.join(' '));
    assert.equal(readFileSync(rules, 'utf8'), text);
  }
});

test('an earlier recording is whole until the first bytes of another are on the disk', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 't.vmlt');
  copyFileSync(RECORDING, path);
  const sink = await fileSink(path);
  assert.deepEqual(readFileSync(path), readFileSync(RECORDING));
  await sink.write(new Uint8Array([1, 2, 3]));
  assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
  await sink.end();
  const parted = join(directory, 'p.vmlt');
  copyFileSync(RECORDING, parted);
  copyFileSync(RECORDING, partPath(parted, 7));
  mkdirSync(partPath(parted, 1)); // the first part cannot be made
  await assert.rejects(createRotatingWriter(LIVE_SESSION, parted), /it is a directory/);
  for (const file of [parted, partPath(parted, 7)]) assert.deepEqual(readFileSync(file), readFileSync(RECORDING));
  rmSync(partPath(parted, 1), { recursive: true });
  const writer = await createRotatingWriter(LIVE_SESSION, parted);
  await writer.end();
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.startsWith('p.')),
    ['p.0001.vmlt'],
  );
  for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o077, 0, name);
});

test('what was not finished leaves nothing, and half a file does not replace a whole one', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'out');
  writeFileSync(path, 'earlier');
  const output = await fileOutput(path);
  await writeText(output, 'half');
  await output.abandon();
  assert.equal(readFileSync(path, 'utf8'), 'earlier');
  // Ended in a hurry, with a file begun.
  const module = new URL('../../src/output/new-file.js', import.meta.url).href;
  const script = `import { createFile } from ${JSON.stringify(module)}; await createFile(${JSON.stringify(path)}); process.exit(3);`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script]).status, 3);
  assert.deepEqual(readdirSync(directory), ['out']);
});

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
