// SPDX-License-Identifier: MIT
/** `diff` as a command. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../cli/run.js';
import { GUEST_RECORDING } from '../export/support.js';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-diff-'));
});
after(() => rm(dir, { recursive: true }));

test('a recording made in a guest against itself, one of them on standard input: nothing differs', async () => {
  const { code, stdout, stderr } = await run(['diff', GUEST_RECORDING, '-'], {
    stdin: await readFile(GUEST_RECORDING),
  });
  assert.equal(code, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /Nothing differs by more than noise \(\d+ figures tested together over \d+ time slices/);
  assert.doesNotMatch(stdout, /Two runs of one workload/);
  assert.match(stdout, /^ {4}6,524 faults \(/m);
  assert.match(stdout, /^ {3}folio lock wait: time {2,}\S+ µs\/fault +\S+ µs\/fault +0%$/m);
});

test('where something differs, it says what two recordings cannot tell', async () => {
  const other = GUEST_RECORDING.replace('swap-7.3', 'mixed-7.3');
  const { code, stdout } = await run(['diff', GUEST_RECORDING, other]);
  assert.equal(code, 0);
  assert.match(stdout, /^ What differs, .*time slices/m);
  assert.match(stdout, /^ Two runs of one workload may differ by more than their slices show/m);
});

test('--json: one document', async () => {
  const { code, stdout } = await run(['diff', '--json', GUEST_RECORDING, GUEST_RECORDING]);
  assert.equal(code, 0);
  const document = JSON.parse(stdout) as { v: number; findings: unknown[]; a: { kernel: string } };
  assert.equal(document.v, 1);
  assert.deepEqual(document.findings, []);
  assert.match(document.a.kernel, /^7\.3/);
});

test('a recording that was cut off is compared as far as it goes, with a warning', async () => {
  const cut = join(dir, 'cut.vmlt');
  const bytes = await readFile(GUEST_RECORDING);
  await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length / 2)));
  const { code, stdout, stderr } = await run(['diff', GUEST_RECORDING, cut]);
  assert.equal(code, 0);
  assert.match(stdout, /WARNING: B was cut off: /);
  assert.match(stderr, /cut\.vmlt was cut off: /);
});

test('further runs of either side: five a side are compared as runs', async () => {
  const five = Array.from({ length: 4 }, () => GUEST_RECORDING);
  const { code, stdout } = await run(['diff', GUEST_RECORDING, GUEST_RECORDING, '--a', ...five, '--b', ...five]);
  assert.equal(code, 0);
  assert.match(stdout, /Nothing differs by more than noise \(\d+ figures tested together over 5 runs a side\)/);
  const two = await run(['diff', GUEST_RECORDING, GUEST_RECORDING, '--b', GUEST_RECORDING]);
  assert.equal(two.code, 0);
  assert.match(two.stdout, /Not tested: there are 1 and 2 runs/);
});

test('what cannot be compared: exit 2', async () => {
  for (const argv of [
    ['-', '-'],
    [GUEST_RECORDING, '-', '--b', '-'],
    [GUEST_RECORDING],
    [GUEST_RECORDING, join(dir, 'absent.vmlt')],
  ]) {
    const { code, stdout, stderr } = await run(['diff', ...argv]);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^vmalocktop: .+: .+\n→ .+/);
  }
});
