// SPDX-License-Identifier: MIT
/**
 * The thread that serves /metrics and /healthz: requests, however many, use up no time of the thread that drains the
 * ring. It asks for each text at most once a second, and hands it to everybody until then.
 */
import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { errorCode } from '../errors.js';
import { type BoundedServer, type HttpOptions, listenBounded, type Page } from './bounded-http.js';
import { negotiate } from './text.js';
import type { FromThread, ToThread, What } from './thread-messages.js';

/** Texts that old are as good as new ones. */
const FRESH_MS = 1000;
/**
 * The draining thread answers within milliseconds; where no CPU is free, within seconds. Longer than scrapers
 * wait by default (10 s) it may not take.
 */
const PATIENCE_MS = 8000;

interface Asked {
  readonly at: number;
  readonly page: Promise<Page>;
}

const port = parentPort;
if (port === null) throw new Error('this is a thread of the metrics server');
const post = (message: FromThread): void => port.postMessage(message);

let asks = 0;
const waiting: Map<number, (page: Page) => void> = new Map();
const newest: Map<What, Asked> = new Map();

function ask(what: What): Promise<Page> {
  const now = performance.now();
  const known = newest.get(what);
  if (known !== undefined && now - known.at < FRESH_MS) return known.page;
  const page = new Promise<Page>((resolve, reject) => {
    const id = asks++;
    const late = setTimeout(() => {
      waiting.delete(id);
      reject(new Error(`the session was not heard of for ${PATIENCE_MS / 1000} s`));
    }, PATIENCE_MS);
    waiting.set(id, (answer) => {
      clearTimeout(late);
      waiting.delete(id);
      resolve(answer);
    });
    post({ kind: 'ask', id, what });
  });
  page.catch(() => {}); // the request that waits for it gets the error
  newest.set(what, { at: now, page });
  return page;
}

async function answer(path: string, accept: string | undefined): Promise<Page> {
  if (path === '/metrics') return ask(negotiate(accept));
  if (path === '/healthz') return ask('health');
  return { status: 404, type: 'text/plain', body: 'there are /metrics and /healthz\n' };
}

let server: BoundedServer | null = null;
port.on('message', (message: ToThread) => {
  if (message.kind === 'answer') waiting.get(message.id)?.(message.page);
  else void (server?.close() ?? Promise.resolve()).then(() => process.exit(0));
});

/** `/proc/PID/task/TID/stat` counts what this thread uses; null where there is no such file. */
function taskId(): number | null {
  try {
    return Number(/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? Number.NaN) || null;
  } catch {
    return null;
  }
}

try {
  server = await listenBounded(workerData as HttpOptions, answer);
  post({ kind: 'listening', address: server.address, tid: taskId() });
} catch (error) {
  post({ kind: 'failed', code: errorCode(error), message: error instanceof Error ? error.message : String(error) });
}
