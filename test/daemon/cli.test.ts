// SPDX-License-Identifier: MIT
/** The daemon as a process, over a recording: what it serves, what signals and configuration do, what it leaves behind. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openFile } from '../../src/recording/read/file.js';
import { run } from '../cli/run.js';
import { patience } from '../pace.js';
import { type Running, root, scratch, startDaemon, until, writeRecording } from './support.js';

const directory = scratch();
const recording = join(directory.path, 'session.vmlt');
const socket = join(directory.path, 'socket');
const running: Running[] = [];

before(async () => {
  chmodSync(directory.path, 0o777);
  await writeRecording(recording, 120);
});

after(async () => {
  for (const daemon of running) await daemon.end('SIGKILL');
  directory.remove();
});

async function start(toml: string): Promise<Running> {
  const daemon = await startDaemon(directory.path, recording, toml);
  running.push(daemon);
  return daemon;
}

async function get(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function value(text: string, series: string): number {
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.split(' ')
      .at(-1),
  );
}

test('it serves metrics and its health, and ends in order', async () => {
  const daemon = await start('[alerts]\nenabled = false\n');
  await until(
    () => get(`${daemon.url}/metrics`),
    (metrics) => value(metrics, 'vmalocktop_retries_total{cause="folio locked"}') > 100,
  );
  const answer = await fetch(`${daemon.url}/healthz`);
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { ok: true, notes: [] });
  assert.equal((await fetch(`${daemon.url}/metrics`, { method: 'POST' })).status, 405);
  assert.equal((await fetch(`${daemon.url}/`)).status, 404);
  assert.equal(await daemon.end('SIGTERM'), 0);
});

test('no thread has a capability, and none can be gained', {
  skip: root ? false : 'only root has some to give up',
}, async () => {
  const daemon = await start(`[socket]\npath = "${socket}"\n`);
  const tasks = readdirSync(`/proc/${daemon.pid}/task`).map((tid) =>
    readFileSync(`/proc/${daemon.pid}/task/${tid}/status`, 'utf8'),
  );
  assert.ok(tasks.length > 4, 'V8 and libuv have threads of their own');
  for (const status of tasks) {
    for (const set of ['CapPrm', 'CapEff', 'CapAmb', 'CapInh'])
      assert.match(status, new RegExp(`^${set}:\\s*0+$`, 'm'));
    assert.doesNotMatch(status, /^[UG]id:.*\b0\b/m);
  }
  assert.match(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'), /^NoNewPrivs:\s*1$/m);

  await daemon.end('SIGTERM');
});

test('SIGHUP takes what can be changed, and keeps the old one with the reason', async () => {
  const daemon = await start('top_processes = 1\n');
  const config = join(directory.path, 'daemon.toml');
  const old = readFileSync(config, 'utf8');
  const reload = async (text: string, says: RegExp): Promise<void> => {
    writeFileSync(config, text);
    daemon.process.kill('SIGHUP');
    await until(
      () => daemon.stderr,
      (words) => says.test(words),
    );
  };
  await reload(old.replace('top_processes = 1', 'top_processes = 0'), /was reloaded/);
  // A text is as old as a second.
  const comes = (path: string, good: (text: string) => boolean): Promise<string> =>
    until(() => get(`${daemon.url}${path}`), good);
  await comes('/metrics', (text) => !/^vmalocktop_process_retries_total/m.test(text));
  await reload(`${old}\n[observe]\nscope = "all"\n`, /was kept: observe\.scope: a restart is needed/);
  await comes('/metrics', (text) => value(text, 'vmalocktop_config_stale') === 1);
  await reload(`${old}\n[observe]\nscope = 7\n`, /was kept: .*daemon\.toml: line \d+: observe\.scope is 7/);
  await comes('/healthz', (text) => /"ok":true.*was not reloaded/.test(text));
  await reload(old, /was reloaded[\s\S]*was reloaded/);
  await comes('/metrics', (text) => value(text, 'vmalocktop_config_stale') === 0);
  await daemon.end('SIGTERM');
});

test('SIGUSR1 writes out the flight recorder, and the oldest files go', async () => {
  const flights = join(directory.path, 'flights');
  const daemon = await start(`[flight]\nkeep = "1s"\nfiles = 2\ndirectory = "${flights}"\n`);
  for (let i = 1; i <= 3; i++) {
    daemon.process.kill('SIGUSR1');
    await until(
      () => daemon.stderr.match(/flight recorder written/g)?.length,
      (n) => n === i,
    );
  }
  const files = readdirSync(flights);
  assert.equal(files.length, 2, files.join());
  const source = await openFile(join(flights, files[0] ?? ''));
  let rows = 0;
  for await (const batch of source.batches()) rows += batch.length;
  assert.ok(rows > 0);
  assert.equal(source.head.part?.written?.why, 'SIGUSR1');
  await daemon.end('SIGTERM');
});

test('SIGKILL leaves a socket, which the next start replaces; SIGTERM leaves none', async () => {
  const first = await start(`[socket]\npath = "${socket}"\n`);
  await first.end('SIGKILL');
  assert.ok(existsSync(socket));
  const second = await start(`[socket]\npath = "${socket}"\n`);
  assert.equal(await second.end('SIGTERM'), 0);
  assert.ok(!existsSync(socket));
});

test('who is not in the group is refused', { skip: root ? false : 'takes root, to be somebody else' }, async () => {
  const daemon = await start(`[socket]\npath = "${socket}"\ngroup = "daemon"\n`);
  const script = `require('net').connect(${JSON.stringify(socket)}).on('error', (e) => console.log(e.code)).on('connect', function () { console.log('connected'); this.destroy(); })`;
  const as = (uid: number, gid: number): string =>
    spawnSync(process.execPath, ['-e', script], { uid, gid, encoding: 'utf8', timeout: patience(5000) }).stdout.trim();
  assert.equal(as(4242, 4242), 'EACCES');
  assert.equal(as(4242, 1), 'connected');
  await daemon.end('SIGTERM');
});

test('metrics go to a collector; one that fails is said once, and the daemon goes on', async () => {
  const bodies: string[] = [];
  let status = 500;
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(status).end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => collector.once('listening', resolve));
  const { port } = collector.address() as AddressInfo;
  const daemon = await start(`[otlp]\nurl = "http://127.0.0.1:${port}/v1/metrics"\ninterval = "1s"\n`);
  await until(
    () => bodies.length,
    (n) => n >= 2,
  );
  status = 200;
  await until(
    () => daemon.stderr,
    (text) => text.includes('takes metrics again'),
  );
  assert.equal(daemon.stderr.match(/cannot export/g)?.length, 1);
  const [{ scopeMetrics }] = JSON.parse(bodies.at(-1) ?? '').resourceMetrics;
  assert.ok(scopeMetrics[0].metrics.some(({ name }: { name: string }) => name === 'vmalocktop_faults'));
  await daemon.end('SIGTERM');
  collector.close();
});

test('a configuration that is root’s alone is read again, and another file in its place is not', {
  skip: !root && 'needs root',
}, async () => {
  const daemon = await start('[alerts]\ninterval = "1s"\n');
  const path = join(directory.path, 'daemon.toml');
  const text = readFileSync(path, 'utf8');
  chmodSync(path, 0o600);
  // Written into: the same file.
  writeFileSync(path, text.replace('interval = "1s"', 'interval = "2s"'));
  process.kill(daemon.pid, 'SIGHUP');
  await until(
    () => daemon.stderr,
    (said) => said.includes('was reloaded'),
  );
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  process.kill(daemon.pid, 'SIGHUP');
  await until(
    () => daemon.stderr,
    (said) => said.includes('another file was put in its place'),
  );
  assert.equal(await daemon.end('SIGTERM'), 0);
});

test('a port that is taken, a group that is not there: said before anything is observed', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address() as AddressInfo;
  const config = join(directory.path, 'taken.toml');
  writeFileSync(config, `[metrics]\nlisten = "127.0.0.1:${port}"\n[privileges]\nuser = "nobody"\n`);
  const one = await run(['daemon', '--config', config, '--play', recording]);
  assert.equal(one.code, 2);
  assert.match(one.stderr, /something else listens there\n→ set metrics\.listen/);
  writeFileSync(
    config,
    `[metrics]\nlisten = ""\n[socket]\npath = "${socket}"\ngroup = "no-such-group"\n[privileges]\nuser = "nobody"\n`,
  );
  const other = await run(['daemon', '--config', config, '--play', recording]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /cannot use the group no-such-group: there is no group of that name/);
  taken.close();
});
