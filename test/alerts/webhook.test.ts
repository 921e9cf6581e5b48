// SPDX-License-Identifier: MIT
/** Webhooks against servers on the loopback that behave in all the ways servers do. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { WebhookAction } from '../../src/actions/actions.js';
import { postWebhook } from '../../src/actions/webhook.js';
import { patience } from '../pace.js';
import { COMMON } from './event.js';

const NEVER = new AbortController().signal;

function webhook(url: string, changes: Partial<WebhookAction> = {}): WebhookAction {
  return {
    type: 'webhook',
    ...COMMON,
    url,
    headers: {},
    timeoutMs: patience(2000),
    retries: 2,
    backoffMs: 20,
    ...changes,
  };
}

interface Got {
  readonly at: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

/** Answers the nth request by `answer(n)`; null: not at all. */
async function serve(
  t: TestContext,
  answer: (n: number) => number | null,
  headers: Record<string, string> = {},
): Promise<{ readonly url: string; readonly got: readonly Got[] }> {
  const got: Got[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      got.push({ at: performance.now(), body, headers: request.headers });
      const status = answer(got.length);
      if (status !== null) response.writeHead(status, headers).end('thanks');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alert`, got };
}

describe('a webhook', () => {
  it('posts JSON with the headers that were asked for', async (t) => {
    const { url, got } = await serve(t, () => 204);
    assert.equal(await postWebhook(webhook(url, { headers: { authorization: 'Bearer x' } }), '{"v":1}', NEVER), null);
    assert.equal(got.length, 1);
    assert.equal(got[0]?.body, '{"v":1}');
    assert.equal(got[0]?.headers['content-type'], 'application/json');
    assert.equal(got[0]?.headers.authorization, 'Bearer x');
  });

  it('tries again after errors of the server, waiting twice as long each time', async (t) => {
    const { url, got } = await serve(t, (n) => [503, 429, 200][n - 1] ?? 500);
    assert.equal(await postWebhook(webhook(url, { backoffMs: 100 }), 'x', NEVER), null);
    assert.equal(got.length, 3);
    const [first, second, third] = got.map(({ at }) => at) as [number, number, number];
    assert.ok(second - first >= 95, `${second - first}`);
    assert.ok(third - second >= 190, `${third - second}`);
  });

  it('gives up after as many attempts as allowed', async (t) => {
    const { url, got } = await serve(t, () => 500);
    assert.equal(await postWebhook(webhook(url), 'x', NEVER), 'HTTP 500, after 3 attempts');
    assert.equal(got.length, 3);
  });

  it('does not repeat what was refused', async (t) => {
    const { url, got } = await serve(t, () => 404);
    assert.equal(await postWebhook(webhook(url), 'x', NEVER), 'HTTP 404, after 1 attempt');
    assert.equal(got.length, 1);
  });

  it('does not follow where it is sent', async (t) => {
    const other = await serve(t, () => 200);
    const { url } = await serve(t, () => 302, { location: other.url });
    assert.match((await postWebhook(webhook(url, { retries: 0 }), 'x', NEVER)) ?? '', /redirect.*after 1 attempt/);
    assert.equal(other.got.length, 0);
  });

  it('does not wait longer than its time', async (t) => {
    const { url } = await serve(t, () => null);
    const failure = await postWebhook(webhook(url, { timeoutMs: 200, retries: 1 }), 'x', NEVER);
    assert.equal(failure, 'no answer within 0.2 s, after 2 attempts');
  });

  it('says when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const nobody = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await postWebhook(webhook(nobody, { retries: 0 }), 'x', NEVER), 'ECONNREFUSED, after 1 attempt');
  });

  it('ends at once when it is told to', async (t) => {
    const { url } = await serve(t, () => 500);
    const stop = new AbortController();
    const begun = performance.now();
    setTimeout(() => stop.abort(), 100);
    const failure = await postWebhook(webhook(url, { backoffMs: 600_000 }), 'x', stop.signal);
    assert.match(failure ?? '', /^given up: ending/);
    assert.ok(performance.now() - begun < 600_000, 'it does not wait for its next attempt');
  });
});
