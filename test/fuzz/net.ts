// SPDX-License-Identifier: MIT
/** What comes over sockets: requests to the metrics' server, clients of the daemon's socket, and a process that pretends to be a daemon. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDaemon } from '../../src/daemon/connect.js';
import { FanOut } from '../../src/daemon/fan-out.js';
import { listenSocket } from '../../src/daemon/socket.js';
import { listenBounded } from '../../src/metrics/bounded-http.js';
import { loadZstd } from '../../src/recording/format/zstd.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';
import { type CaseRandom, mutateBytes, mutateText } from './random.js';
import { type Prepared, refusal, type Target } from './target.js';

const settled = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : once(socket, 'close').catch(() => {});

const REQUESTS = [
  'GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\r\n',
  'HEAD /healthz?x=1 HTTP/1.0\r\nAuthorization: Basic YTpi\r\n\r\n',
  'POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nExpect: 100-continue\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
];
const WORDS = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  'Authorization: Basic ',
  'Content-Length: -1\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Transfer-Encoding: x\r\n',
  'HTTP/9.9',
  'GET',
  '/%00',
  '/../',
  'Host: ',
  ': ',
  'A'.repeat(9000),
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01',
];

export const http: Target = {
  name: 'http',
  async prepare(): Promise<Prepared> {
    let asked = 0;
    const server = await listenBounded(
      { host: '127.0.0.1', port: 0, tls: null, credentials: 'a:b' },
      async (path) => {
        asked++;
        if (path === '/fails') throw new Error('it fails');
        return { status: 200, type: 'text/plain', body: `you asked for ${path.length} bytes\n` };
      },
      2000,
    );
    const port = Number(server.address.split(':')[1]);
    let number = 0;
    /** Addresses in turn: a port of one is not free again for a minute. */
    const open = (): Socket => connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (number++ % 200)}` });
    return {
      used: () => asked,
      async run(random) {
        const socket = open();
        socket.on('error', () => {});
        const text = random.one(4) ? random.pick(REQUESTS) : mutateText(random, random.pick(REQUESTS), WORDS);
        let answer = '';
        socket.on('data', (bytes) => {
          answer += bytes.toString('latin1');
        });
        socket.end(Buffer.from(text, 'latin1'));
        const timer = setTimeout(() => socket.destroy(), 5000);
        await settled(socket);
        clearTimeout(timer);
        if (
          answer !== '' &&
          !/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (200|400|401|405|408|413|417|431|503) /.test(answer)
        )
          throw new Error(`answered ${JSON.stringify(answer.slice(0, 80))}`);
        if (!random.one(500)) return;
        const good = await fetch(`http://127.0.0.1:${port}/x`, { headers: { authorization: `Basic ${btoa('a:b')}` } });
        if (good.status !== 200 || (await good.text()) !== 'you asked for 2 bytes\n')
          throw new Error('it does not answer any more');
      },
      close: () => server.close(),
    };
  },
};

/** Clients that say something, leave early, or never read, while a session goes on. */
export const socket: Target = {
  name: 'socket',
  async prepare(): Promise<Prepared> {
    const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
    const path = join(directory, 'socket');
    const listening = await listenSocket(path, null, { clients: 8, clientBuffer: 65_536 });
    const fanOut = new FanOut(LIVE_SESSION, await loadZstd());
    listening.serve(fanOut);
    const batches = [...liveSession({ seconds: 2 })];
    const deaf: Socket[] = [];
    let used = 0;
    return {
      used: () => used,
      async run(random) {
        const client = connect(path);
        client.on('error', () => {});
        let got = 0;
        client.on('data', (bytes) => {
          got += bytes.length;
        });
        if (random.one(50)) {
          client.pause();
          deaf.push(client);
          if (deaf.length > 12) deaf.shift()?.destroy();
          return;
        }
        if (random.one(2)) client.write(Buffer.from(mutateText(random, 'STOP\n', WORDS)));
        if (random.one(4)) {
          fanOut.write(random.pick(batches));
          fanOut.flush();
        }
        if (random.one(3)) await new Promise((resolve) => setImmediate(resolve));
        if (random.one(2)) client.destroy();
        else client.end();
        await settled(client);
        if (got > 0) used++;
        if (listening.figures.clients > 8) throw new Error(`${listening.figures.clients} clients`);
      },
      async close() {
        for (const client of deaf) client.destroy();
        await listening.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};

/** What the process that listens there sends to `top --connect`. */
export const connected: Target = {
  name: 'connect',
  async prepare(): Promise<Prepared> {
    const directory = mkdtempSync(join(tmpdir(), 'fuzz-'));
    const path = join(directory, 'socket');
    const whole = new Uint8Array(readFileSync('test/golden/synthetic-flight.vmlt'));
    const head = whole.slice(0, 60_000);
    let answer: Uint8Array = head;
    const server = createServer((client) => {
      client.on('error', () => {});
      client.end(answer);
    }).listen(path);
    await once(server, 'listening');
    let used = 0;
    const say = (random: CaseRandom): Uint8Array => {
      if (random.one(6)) return Buffer.from(mutateText(random, 'HTTP/1.1 400 Bad Request\r\n\r\n', WORDS));
      return mutateBytes(random, head.subarray(0, 3000 + random.below(5000)));
    };
    return {
      used: () => used,
      async run(random) {
        answer = say(random);
        try {
          const source = await connectDaemon(path, () => {}, 5000);
          used++;
          for await (const batch of source.batches()) if (batch.length < 0) throw new Error('less than nothing');
          await source.close();
        } catch (error) {
          refusal(error);
        }
      },
      async close() {
        server.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};
