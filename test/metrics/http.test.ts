// SPDX-License-Identifier: MIT
/** A client may do anything to the port: others are still served, and the session goes on undisturbed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BoundedServer, listenBounded, type Page } from '../../src/metrics/bounded-http.js';
import { serveMetrics } from '../../src/metrics/server.js';
import { patience } from '../pace.js';

const PAGE: Page = { status: 200, type: 'text/plain', body: 'x'.repeat(200_000) };

function ask(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(`http://${address}${path}`, { agent: false, headers, timeout: patience(5000) }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}

function serve(lifeMs?: number, credentials: string | null = null): Promise<BoundedServer> {
  return listenBounded({ host: '127.0.0.1', port: 0, tls: null, credentials }, async () => PAGE, lifeMs);
}

/** A hundred connections that behave like that; resolves when all are made. */
async function crowd(address: string, behave: (socket: Socket) => void): Promise<Socket[]> {
  const [host = '', port = ''] = address.split(':');
  return Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect(Number(port), host);
      socket.on('error', () => {});
      await new Promise((resolve) => socket.once('connect', resolve));
      behave(socket);
      return socket;
    }),
  );
}

const CROWDS: Readonly<Record<string, (socket: Socket) => void>> = {
  'say nothing': () => {},
  'say a line of a head now and then': (socket) => {
    socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n');
    const drip = setInterval(() => socket.write('X-a: b\r\n'), 100);
    socket.once('close', () => clearInterval(drip));
  },
  'do not read their answers': (socket) => {
    socket.pause();
    for (let i = 0; i < 200; i++) socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  },
};

for (const [what, behave] of Object.entries(CROWDS)) {
  test(`a hundred that ${what} give way`, async (t) => {
    const server = await serve(60_000);
    t.after(() => server.close());
    const sockets = await crowd(server.address, behave);
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    assert.equal((await ask(server.address, '/metrics')).body, PAGE.body);
  });

  test(`those that ${what} are hung up on in time`, async (t) => {
    const server = await serve(500);
    t.after(() => server.close());
    const sockets = await crowd(server.address, behave);
    // Who does not read sees no end, but cannot write any more.
    const ended = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.resume();
    await Promise.all(ended);
  });
}

test('who asks with a password gives it', async (t) => {
  const server = await serve(undefined, 'who:knows');
  t.after(() => server.close());
  const basic = (text: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  assert.equal((await ask(server.address, '/metrics')).status, 401);
  assert.equal((await ask(server.address, '/metrics', basic('who:else'))).status, 401);
  assert.equal((await ask(server.address, '/metrics', basic('who:knows'))).status, 200);
});

test('a text is made once a second however many ask, and what serving costs is known', async (t) => {
  let made = 0;
  const answers = {
    families: () => {
      made++;
      return [];
    },
    health: () => ({ ok: true, notes: [] }),
  };
  const server = await serveMetrics('127.0.0.1:0', answers);
  t.after(() => server.close());
  const begun = performance.now();
  for (let i = 0; i < 300; i++) assert.equal((await ask(server.address, '/metrics')).status, 200);
  const seconds = (performance.now() - begun) / 1000;
  assert.ok(made >= 1 && made <= Math.floor(seconds) + 2, `${made} in ${seconds} s`);
  assert.ok(server.cpuNs() > 0);
});

test('a session that hangs is said to, by a thread that does not', async (t) => {
  const server = await serveMetrics('127.0.0.1:0', { families: () => [], health: () => ({ ok: true, notes: [] }) });
  t.after(() => server.close());
  const { spawn } = await import('node:child_process');
  const script = `fetch('http://${server.address}/healthz').then(async (r) => console.log(r.status, await r.text()))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  const end = new Promise((resolve) => child.once('close', resolve));
  await sleep(0);
  // Until the other end has its answer, without a turn of this one's loop: it is a zombie then.
  const lap = new Int32Array(new SharedArrayBuffer(4));
  while (!/\) Z /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) Atomics.wait(lap, 0, 0, 50);
  await end;
  assert.match(said, /^503 the session was not heard of/);
});

test('a page in a browser here, whose name somebody had resolve to 127.0.0.1, is not answered', async (t) => {
  const server = await serve();
  t.after(() => server.close());
  const status = async (host: string): Promise<number> => (await ask(server.address, '/metrics', { host })).status;
  for (const host of [
    'attacker.example',
    'attacker.example:9753',
    '127.0.0.1.attacker.example',
    'localhost.attacker.example:1',
    '[x]',
  ])
    assert.equal(await status(host), 421, host);
  for (const host of [
    'localhost',
    'localhost:9753',
    'a.localhost',
    '127.0.0.1:9753',
    '10.1.2.3',
    '[::1]:9753',
    hostname(),
  ])
    assert.equal(await status(host), 200, host);
  const asked = await serve(undefined, 'a:b');
  t.after(() => asked.close());
  const known = { host: 'metrics.example', authorization: `Basic ${btoa('a:b')}` };
  assert.equal((await ask(asked.address, '/metrics', known)).status, 200, 'a proxy that says who it is');
});
