// SPDX-License-Identifier: MIT
/** `export` as a command: what it refuses, what it leaves behind, what it says and where. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MAIN, run } from '../cli/run.js';
import { spawnWhole } from '../tui/whole-output.js';
import { GUEST_RECORDING } from './support.js';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-export-'));
});
after(() => rm(dir, { recursive: true }));

test('- writes the data to standard output and the words to stderr', async () => {
  const { code, stdout, stderr } = await run(['export', GUEST_RECORDING, '-f', 'jsonl', '-o', '-']);
  assert.equal(code, 0);
  const lines = stdout.trimEnd().split('\n');
  assert.match(stderr, new RegExp(`^vmalocktop: ${lines.length - 2} rows \\(.*\\); 0 events dropped, \\d+ missed`));
  assert.equal((JSON.parse(lines.at(-1) ?? '') as { type: string }).type, 'losses');
});

test('a recording on standard input', async () => {
  const bytes = await readFile(GUEST_RECORDING);
  const { code, stdout } = await run(['export', '-', '-f', 'csv', '-t', 'waits', '-o', '-'], { stdin: bytes });
  assert.equal(code, 0);
  assert.match(stdout, /^host,kernel,boot_id,id,/);
});

test('a closed pipe is no failure', async () => {
  const { code, stderr } = await run(['export', GUEST_RECORDING, '-f', 'jsonl', '-o', '-'], { closeAfterFirst: true });
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('a recording that was cut off is exported as far as it goes, and the export says so', async () => {
  const cut = join(dir, 'cut.vmlt');
  const bytes = await readFile(GUEST_RECORDING);
  await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length / 2)));
  const { code, stdout, stderr } = await run(['export', cut, '-f', 'jsonl', '-o', '-']);
  assert.equal(code, 0);
  assert.match(stderr, /recording cut off: /);
  const losses = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { truncated: string; lifecycles: number };
  assert.ok(losses.truncated.length > 0 && losses.lifecycles > 0);
});

test('what cannot be exported leaves no file, not even a part of one', async () => {
  const other = join(dir, 'other.txt');
  await writeFile(other, 'not a recording at all\n');
  const out = join(dir, 'never.parquet');
  const refused: readonly (readonly string[])[] = [
    [other, '-f', 'parquet', '-o', out],
    [join(dir, 'absent.vmlt'), '-f', 'perfetto', '-o', out],
    [GUEST_RECORDING, '-f', 'perfetto', '-t', 'waits', '-o', out],
    [GUEST_RECORDING, '-f', 'arrow', '-o', out],
    [GUEST_RECORDING, '-o', out],
    [GUEST_RECORDING, '-f', 'csv', '-o', join(dir, 'no/such/place')],
  ];
  for (const argv of refused) {
    const { code, stdout, stderr } = await run(['export', ...argv]);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^vmalocktop: .+: .+\n→ .+/, argv.join(' '));
  }
  assert.deepEqual(
    (await readdir(dir)).filter((name) => name.startsWith('never') || name.endsWith('.partial')),
    [],
  );
});

test('a full disk: the reason, exit 2, and the earlier export untouched', async () => {
  const { code, stderr } = await run(['export', GUEST_RECORDING, '-f', 'csv', '-o', '/dev/full']);
  assert.equal(code, 2);
  assert.match(stderr, /cannot write \/dev\/full: no space left on the device/);
});

test('SIGINT while the recording still comes: exit 130, an earlier export is kept, no part is left', async () => {
  const out = join(dir, 'kept.csv');
  await writeFile(out, 'earlier');
  const bytes = await readFile(GUEST_RECORDING);
  const child = spawn(process.execPath, [MAIN, 'export', '-', '-f', 'csv', '-o', out], { stdio: 'pipe' });
  child.stdin.on('error', () => {});
  child.stdin.write(bytes.subarray(0, bytes.length - 64));
  while (!(await readdir(dir)).some((name) => name.startsWith('.vmalocktop-') && name.endsWith('.partial')))
    await new Promise((next) => setTimeout(next, 20));
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 130);
  assert.deepEqual(
    (await readdir(dir)).filter((name) => name.startsWith('kept') || name.endsWith('.partial')),
    ['kept.csv'],
  );
  assert.equal(await readFile(out, 'utf8'), 'earlier');
});

/** What a terminal would get from this command. */
async function onTerminal(argv: readonly string[]): Promise<{ code: number; text: string }> {
  const { exit, seen } = spawnWhole([process.execPath, MAIN, ...argv], { cols: 120, rows: 30 });
  return { code: await exit, text: seen() };
}

test('on a terminal: progress on a line of its own, which is gone at the end', async () => {
  const { code, text } = await onTerminal(['export', GUEST_RECORDING, '-f', 'jsonl', '-o', join(dir, 'seen.jsonl')]);
  assert.equal(code, 0);
  const [first, ...lines] = text.split('\r\u001b[K');
  assert.equal(first, '');
  assert.match(lines[0] ?? '', /^00:00:0\d of recording {2}[\d.]+k events {2}[\d.]+k? rows {2}/);
  assert.match(lines.find((line) => line !== '' && !line.includes('of recording')) ?? '', /^vmalocktop: \d+ rows /);
});

test('on a terminal: binary data is not written to it', async () => {
  const { code, text } = await onTerminal(['export', GUEST_RECORDING, '-f', 'parquet', '-o', '-']);
  assert.equal(code, 2);
  assert.match(text, /it is a terminal, and the format is binary/);
});
