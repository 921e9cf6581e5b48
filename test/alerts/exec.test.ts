// SPDX-License-Identifier: MIT
/** Programs that alerts run: what they get, and that they end. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecAction } from '../../src/actions/actions.js';
import { runExec } from '../../src/actions/exec.js';
import { alertMessage } from '../../src/actions/message.js';
import { checkUsers } from '../../src/actions/users.js';
import { syntheticSession } from '../core/session.js';
import { patience } from '../pace.js';
import { COMMON, EVENT } from './event.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-exec-'));
after(() => rm(directory, { recursive: true }));
const out = join(directory, 'out');
const NEVER = new AbortController().signal;

function exec(argv: readonly [string, ...string[]], changes: Partial<ExecAction> = {}): ExecAction {
  return { type: 'exec', ...COMMON, argv, timeoutMs: patience(5000), uid: null, gid: null, ...changes };
}

function script(text: string, ...args: string[]): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', text, 'sh', ...args];
}

async function isGone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < patience(2000); waited += 20) {
    // A zombie that init has not reaped yet runs no more.
    const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, 'utf8') : '';
    if (status === '' || /^State:\s+[ZX]/m.test(status)) return true;
    await sleep(20);
  }
  return false;
}

describe('exec', () => {
  it('gives the event as JSON on the standard input', async () => {
    const message = alertMessage(EVENT, syntheticSession());
    assert.equal(await runExec(exec(script('cat > "$1"', out)), JSON.stringify(message), NEVER), null);
    const read = JSON.parse(await readFile(out, 'utf8'));
    assert.deepEqual(read, {
      ...EVENT,
      v: 1,
      tool: 'vmalocktop synthetic',
      host: 'synthetic',
      kernel: '6.12.0-synthetic',
      at: '2023-11-14T22:13:32.000Z',
      sinceAt: '2023-11-14T22:13:29.000Z',
      text: 'warning retry-fallbacks firing (postgres (812)): excessive RETRY fallbacks [retry_ratio 0.25, retry_rate 4000]',
    });
  });

  it('hands arguments over as they are: no shell reads them', async () => {
    const strange = '$(touch x); `id` "\' *';
    assert.equal(await runExec(exec(['/bin/sh', '-c', 'printf %s "$2" > "$1"', 'sh', out, strange]), '', NEVER), null);
    assert.equal(await readFile(out, 'utf8'), strange);
  });

  it('hands down nothing of our environment', async () => {
    process.env.VMALOCKTOP_SECRET = 'hidden';
    assert.equal(await runExec(exec(script('env > "$1"; pwd >> "$1"', out)), '', NEVER), null);
    delete process.env.VMALOCKTOP_SECRET;
    const text = await readFile(out, 'utf8');
    assert.ok(!text.includes('hidden'));
    assert.match(text, /^PATH=/m);
    assert.match(text, /^\/$/m);
  });

  it('says how it failed, with what was said on stderr', async () => {
    assert.equal(await runExec(exec(script('echo no route >&2; exit 7')), '', NEVER), 'exit code 7: no route');
    assert.equal(await runExec(exec(script('kill -TERM $$')), '', NEVER), 'ended by SIGTERM');
    assert.match((await runExec(exec(['/nowhere/program']), '', NEVER)) ?? '', /^cannot be run: .*ENOENT/);
    const loud = await runExec(exec(script('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1')), '', NEVER);
    assert.ok((loud ?? '').length < 3000);
  });

  it('does not mind a program that reads nothing of a large input', async () => {
    assert.equal(await runExec(exec(['/bin/true']), 'x'.repeat(1 << 20), NEVER), null);
  });

  it('kills what takes too long, with all it started', async () => {
    const failure = await runExec(
      exec(script('sleep 1000000 & echo $! > "$1"; wait', out), { timeoutMs: 300 }),
      '',
      NEVER,
    );
    assert.equal(failure, 'killed after 0.3 s');
    assert.ok(await isGone(Number(await readFile(out, 'utf8'))));
  });

  it('ends what a program left running in its group', async () => {
    assert.equal(await runExec(exec(script('sleep 300 & echo $! > "$1"', out)), '', NEVER), null);
    assert.ok(await isGone(Number(await readFile(out, 'utf8'))));
  });

  it('ends what left its group and session, and lost its parent, its environment too', async () => {
    const daemon =
      'setsid sh -c \'env -i setsid sh -c "echo \\$\\$ >> $0; sleep 300 & sleep 300" & echo $$ >> $0\' "$1"';
    const hidden = `: > "$1"; ${daemon} & while [ $(wc -l < "$1") -lt 2 ]; do sleep 0.05; done`;
    await rm(out, { force: true });
    assert.equal(await runExec(exec(script(hidden, out)), '', NEVER), null);
    const pids = (await readFile(out, 'utf8')).trim().split('\n');
    assert.equal(pids.length, 2);
    // At the end of the run, not some time later.
    for (const pid of pids) assert.ok(!existsSync(`/proc/${pid}`), pid);
    assert.equal(
      execFileSync('ps', ['-o', 'pid=', '--ppid', String(process.pid)], { encoding: 'utf8' })
        .trim()
        .split('\n').length,
      1,
      'ps alone',
    );
  });

  it('ends what one action left, and nothing of another that goes on, nor children of our own', async () => {
    const other = join(directory, 'other');
    const own = spawn('sleep', ['300'], { stdio: 'ignore' });
    const long = runExec(
      exec(script('setsid sh -c "echo \\$\\$ > $1; exec sleep 300" & sleep 2; kill -0 $(cat "$1")', other)),
      '',
      NEVER,
    );
    await rm(out, { force: true });
    assert.equal(
      await runExec(
        exec(script('setsid sh -c "echo \\$\\$ > $1; exec sleep 300" & while [ ! -s "$1" ]; do sleep 0.05; done', out)),
        '',
        NEVER,
      ),
      null,
    );
    assert.ok(await isGone(Number(await readFile(out, 'utf8'))));
    assert.equal(await long, null, 'what it started was there until its end');
    assert.ok(await isGone(Number(await readFile(other, 'utf8'))));
    assert.equal(own.exitCode ?? own.signalCode, null);
    own.kill('SIGKILL');
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const run = runExec(exec(script('sleep 300')), '', stop.signal);
    await sleep(100);
    stop.abort();
    assert.equal(await run, 'killed: ending');
    assert.equal(await runExec(exec(script('true')), '', stop.signal), 'given up: ending');
  });

  const isRoot = process.getuid?.() === 0;
  it('runs as the user that was named, without our groups', { skip: !isRoot && 'needs root' }, async () => {
    await chmod(directory, 0o777);
    const path = join(directory, 'id');
    const action = exec(script('id -u > "$1"; id -G >> "$1"', path), { uid: 65534, gid: 65534 });
    checkUsers([action]);
    assert.equal(await runExec(action, '', NEVER), null);
    assert.equal(await readFile(path, 'utf8'), '65534\n65534\n');
  });

  it('is refused beforehand for a user one cannot become', { skip: isRoot && 'root can become anybody' }, () => {
    assert.throws(() => checkUsers([exec(['/bin/true'], { uid: 0 })]), /cannot run \/bin\/true with uid 0/);
  });
});
