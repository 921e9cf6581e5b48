// SPDX-License-Identifier: MIT
/** Posts an event to a webhook, with time-outs and retries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../errors.js';
import type { WebhookAction } from './actions.js';

const MAX_BACKOFF_MS = 60_000;

interface Failure {
  readonly why: string;
  /** False where the same request would get the same answer. */
  readonly again: boolean;
}

/** Resolves to null when a 2xx came, otherwise to what went wrong at last, in words. `stop` ends it. */
export async function postWebhook(action: WebhookAction, body: string, stop: AbortSignal): Promise<string | null> {
  for (let attempt = 0; ; attempt++) {
    const failure = await post(action, body, stop);
    if (failure === null) return null;
    if (stop.aborted) return `given up: ending (${failure.why})`;
    const tries = `${attempt + 1} ${attempt === 0 ? 'attempt' : 'attempts'}`;
    if (!failure.again || attempt >= action.retries) return `${failure.why}, after ${tries}`;
    const wait = Math.min(MAX_BACKOFF_MS, action.backoffMs * 2 ** attempt);
    await sleep(wait, undefined, { signal: stop }).catch(() => {}); // the next attempt says that it was ended
  }
}

async function post(action: WebhookAction, body: string, stop: AbortSignal): Promise<Failure | null> {
  try {
    const response = await fetch(action.url, {
      method: 'POST',
      headers: { ...action.headers, 'content-type': 'application/json' },
      body,
      // The user named this address, not where it may send us.
      redirect: 'error',
      signal: AbortSignal.any([stop, AbortSignal.timeout(action.timeoutMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    const again = response.status >= 500 || response.status === 429 || response.status === 408;
    return { why: `HTTP ${response.status}`, again };
  } catch (error) {
    return { why: words(error, action.timeoutMs), again: true };
  }
}

/** undici says `fetch failed` and keeps the reason in `cause`. */
function words(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const { cause } = error;
  return errorCode(cause) || (cause instanceof Error ? cause.message : error.message);
}
