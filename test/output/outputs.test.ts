// SPDX-License-Identifier: MIT
/** Outputs never destroy anything: neither the input nor an earlier file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileOutput, writeText } from '../../src/output/output.js';
import { partPath } from '../../src/recording/format/files.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { MAIN, run } from '../cli/run.js';
import { LIVE_SESSION } from '../recording/live-session.js';
import { RECORDING, scratch } from './support.js';

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
