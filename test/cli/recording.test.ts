// SPDX-License-Identifier: MIT
/** `stat` and `replay` over recordings: the figures, recordings that were cut off, files that are no recordings, closed pipes, signals. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { batchesOf, SESSION, writeRecording } from './recorded.js';
import { MAIN, run } from './run.js';

const FAULTS = 1000;
const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
let dir = '';
let whole = '';
let bytes: Uint8Array = new Uint8Array();

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-cli-'));
  whole = join(dir, 'whole.vmlt');
  await writeRecording(whole, batchesOf(FAULTS));
  bytes = await readFile(whole);
});
after(() => rm(dir, { recursive: true }));

function direct(): unknown {
  const pipeline = new Pipeline(SESSION);
  for (const batch of batchesOf(FAULTS)) pipeline.push(batch);
  return JSON.parse(JSON.stringify(statJson(pipeline.snapshot())));
}

interface Stat {
  readonly v: number;
  readonly ended: boolean;
  readonly truncated?: string;
  readonly lifecycles: { readonly total: number };
}

test('stat --json of a recording is what the pipeline says when it is fed directly', async () => {
  const { code, stdout, stderr } = await run(['stat', '--json', whole]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const document = JSON.parse(stdout) as Stat;
  assert.equal(document.v, 1);
  assert.equal(document.lifecycles.total, FAULTS);
  assert.deepEqual(document, direct());
});

test('a recording on stdin gives the same document', async () => {
  const { code, stdout } = await run(['stat', '--json', '-'], { stdin: bytes });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), direct());
});

test('replay without a terminal prints the summary of stat', async () => {
  const [replayed, summed] = await Promise.all([run(['replay', whole]), run(['stat', whole])]);
  assert.equal(replayed.code, 0);
  assert.equal(replayed.stdout, summed.stdout);
  assert.match(summed.stdout, /1,?000 +RETRY: fell back to mmap_lock/);
  assert.match(summed.stdout, /1,?000 +retries: folio locked/);
});

test('-o puts the summary into a file and leaves stdout alone', async () => {
  const path = join(dir, 'summary.json');
  const { code, stdout } = await run(['stat', '--json', '-o', path, whole]);
  assert.equal(code, 0);
  assert.equal(stdout, '');
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), direct());
});

test('a recording that was cut off is summarised as far as it goes, and says so', async () => {
  const cut = join(dir, 'cut.vmlt');
  await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
  const [json, text] = await Promise.all([run(['stat', '--json', cut]), run(['replay', cut])]);
  const document = JSON.parse(json.stdout) as Stat;
  assert.equal(document.ended, false);
  assert.ok(document.lifecycles.total > 0 && document.lifecycles.total < FAULTS);
  assert.equal(json.code, 0);
  assert.match(json.stderr, /the recording was cut off: /);
  assert.ok(document.truncated !== undefined && json.stderr.includes(document.truncated));
  assert.match(text.stdout, /CUT OFF: /);
});

test('damage after a good part: the good part is shown, then the error, exit 2', async () => {
  const damaged = join(dir, 'damaged.vmlt');
  const copy = Uint8Array.from(bytes);
  copy.fill(0x5a, Math.floor(copy.length * 0.5), Math.floor(copy.length * 0.7));
  await writeFile(damaged, copy);
  const { code, stdout, stderr } = await run(['stat', '--json', damaged]);
  assert.equal(code, 2);
  assert.match(stderr, /^vmalocktop: .+: .+\n→ /m);
  assert.ok((JSON.parse(stdout) as Stat).lifecycles.total > 0);
});

for (const command of ['stat', 'replay']) {
  test(`${command}: what is no recording, exit 2`, async () => {
    const other = join(dir, 'other.txt');
    await writeFile(other, 'not a recording at all\n');
    for (const path of [other, join(dir, 'absent.vmlt'), dir]) {
      const { code, stdout, stderr } = await run([command, path]);
      assert.equal(code, 2, path);
      assert.equal(stdout, '');
      assert.match(stderr, /^vmalocktop: .+: .+\n→ .+\n$/);
    }
  });
}

test('a file that cannot be written: exit 2 before anything is read', async () => {
  const { code, stderr } = await run(['stat', '-o', join(dir, 'no/such/place'), whole]);
  assert.equal(code, 2);
  assert.match(stderr, /^vmalocktop: cannot write .*: no such file or directory\n→ check the path\n$/);
});

test('a closed pipe is no failure and leaves no trace on stderr', async () => {
  const quick = await run(['stat', '--json', whole], { closeAfterFirst: true });
  assert.equal(quick.code, 0);
  assert.equal(quick.stderr, '');
  // --interval keeps writing until the reader has gone.
  const child = spawn(process.execPath, [MAIN, 'stat', '--json', '--interval', '0.05', '-'], { stdio: 'pipe' });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  child.stdin.on('error', () => {});
  // The stream stays open: only the closed pipe can end the command.
  child.stdin.write(bytes.subarray(0, bytes.length - 64));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  assert.equal(stderr, '');
});

test('--interval with --json: one document a line', async () => {
  const child = spawn(process.execPath, [MAIN, 'stat', '--json', '--interval', '0.05', '-'], { stdio: 'pipe' });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stdin.write(bytes.subarray(0, bytes.length >> 1));
  while (stdout.split('\n').length < 3) await sleep(10);
  child.stdin.end(bytes.subarray(bytes.length >> 1));
  await once(child, 'close');
  const lines = stdout.trimEnd().split('\n');
  assert.ok(lines.length >= 3);
  const documents = lines.map((line) => JSON.parse(line) as Stat);
  assert.ok(documents.every((document) => document.v === 1));
  assert.deepEqual(documents.at(-1), direct());
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} prints the summary of what came, exit ${expected}`, async () => {
    const child = spawn(process.execPath, [MAIN, 'stat', '--json', '--interval', '0.05', '-'], { stdio: 'pipe' });
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += String(text);
    });
    child.stdin.on('error', () => {});
    child.stdin.write(bytes.subarray(0, bytes.length - 64));
    await once(child.stdout, 'data');
    child.kill(signal);
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, expected);
    assert.ok((JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Stat).lifecycles.total > 0);
  });
}

test('record and live stat leave with exit 3 where this host cannot be observed, and touch no file', async (t) => {
  const { code: canObserve } = await run(['doctor', '--quiet']);
  if (canObserve === 0) return t.skip('this host can be observed');
  const path = join(dir, 'never.vmlt');
  await writeFile(path, 'an earlier recording');
  const [recorded, summed] = await Promise.all([
    run(['record', '-o', path, '-d', '1']),
    run(['stat', '-d', '1', '--', 'true']),
  ]);
  for (const { code, stdout, stderr } of [recorded, summed]) {
    assert.equal(code, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /^vmalocktop: .+: .+\n→ .+/);
  }
  assert.equal(await readFile(path, 'utf8'), 'an earlier recording');
});

test('SIGUSR1 opens no debugger, whatever the command', async () => {
  // Larger than what a pipe holds: when it is written, the command has read of it. Node has a handler of its own before.
  const large = await readFile(GOLDEN);
  const [last, rest] = [large.subarray(-64), large.subarray(0, -64)];
  const child = spawn(process.execPath, [MAIN, 'stat', '--json', '-'], { stdio: 'pipe' });
  let [out, words] = ['', ''];
  child.stdout.on('data', (data) => {
    out += String(data);
  });
  child.stderr.on('data', (data) => {
    words += String(data);
  });
  await new Promise((resolve) => child.stdin.write(rest, resolve));
  child.kill('SIGUSR1');
  child.stdin.end(last);
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, words);
  assert.doesNotMatch(words, /[Dd]ebugger/);
  assert.deepEqual(JSON.parse(out), JSON.parse((await run(['stat', '--json', GOLDEN])).stdout));
});
