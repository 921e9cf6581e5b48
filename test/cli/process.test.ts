// SPDX-License-Identifier: MIT
/** How the process ends: our own defects have an exit code of their own, and words that are not UTF-8 are refused. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectDaemon } from '../../src/daemon/connect.js';
import { ExitCode } from '../../src/errors.js';
import { GUEST_RECORDING } from '../export/support.js';
import { spawnWhole } from '../tui/whole-output.js';
import { MAIN, run } from './run.js';

const PROCESS = new URL('../../cli/common/process.js', import.meta.url).href;

for (const [how, code] of [
  ['thrown', "setTimeout(() => { throw new Error('a defect') }, 0)"],
  ['rejected', "void Promise.reject(new Error('a defect'))"],
  ['reported', "process.exit(report(new Error('a defect')))"],
] as const) {
  test(`a defect that is ${how} ends with 70, not with what stands for a finding`, () => {
    const script = `import { guardDefects, report } from ${JSON.stringify(PROCESS)}; guardDefects(); ${code}`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(status, ExitCode.Internal);
    assert.match(String(stderr), /^vmalocktop: internal error: Error: a defect\n +at /);
  });
}

test('a word that is no UTF-8 is refused before it names another file', () => {
  for (const words of [
    'info "$(printf "/tmp/\\377.vmlt")"',
    'stat -- "$(printf "\\303\\050")"',
    'export x -f csv -o "$(printf "\\377")"',
  ]) {
    const { status, stderr } = spawnSync('/bin/bash', ['-c', `exec "${process.execPath}" "${MAIN}" ${words}`]);
    assert.equal(status, 2, String(stderr));
    assert.match(String(stderr), /is not UTF-8/);
  }
});

test('--alerts before the recording does not take it for rules', async () => {
  const { code, stdout, stderr } = await run(['replay', '--alerts', GUEST_RECORDING]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^alerts:/m);
  assert.equal((await run(['replay', '--alerts'])).code, 2);
});

async function onDumb(argv: readonly string[]): Promise<{ code: number; text: string }> {
  const env = { ...process.env, TERM: 'dumb' };
  const { exit, seen } = spawnWhole([process.execPath, MAIN, ...argv], { name: 'dumb', env });
  return { code: await exit, text: seen() };
}

test('a terminal whose cursor cannot be moved gets no dashboard', async () => {
  const replayed = await onDumb(['replay', GUEST_RECORDING]);
  assert.equal(replayed.code, 0);
  assert.match(replayed.text, /page faults/);
  assert.equal(replayed.text.includes('\x1b'), false);
  const top = await onDumb(['top']);
  assert.equal(top.code, 2);
  assert.match(top.text, /the terminal is dumb/);
});

test('whoever listens and says nothing is not waited for for ever', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vlt-silent-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'socket');
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.after(() => server.close());
  let told = 0;
  await assert.rejects(
    connectDaemon(path, () => told++, 1500),
    /sent nothing for 1\.5 s/,
  );
  assert.equal(told, 1);
});
