// SPDX-License-Identifier: MIT
/** From a source into the fold: the one loop behind stat, top and replay. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { Source } from '../../src/core/events/source.js';

/** Longest time batches that are there already may keep timers, keys and signals waiting. */
const TURN_MS = 15;
/** Waits of a paced replay are cut in pieces, so that quitting is noticed. */
const PACE_STEP_MS = 100;

export interface Sink {
  /** With a promise: the next batch comes when it settles. */
  push(batch: EventBatch): void | Promise<void>;
}

export interface FeedOptions {
  /** Play at recorded time times this factor; absent: as fast as batches come. */
  readonly speed?: number;
  /** Asked between batches; true ends the feed. */
  readonly stopped?: () => boolean;
}

export interface FeedResult {
  /** What the source ended with; null when it ended well. What came before it was pushed. */
  readonly error: unknown;
}

/** Pushes every batch of `source` into `sink`. Never throws for what the source does: a damaged end leaves the good part. */
export async function feed(source: Source, sink: Sink, options: FeedOptions = {}): Promise<FeedResult> {
  const stopped = options.stopped ?? ((): boolean => false);
  const started = performance.now();
  let turn = started;
  let zero: number | null = null;
  const batches = source.batches()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await batches.next();
      if (next.done === true || stopped()) break;
      if (options.speed !== undefined && next.value.length > 0) {
        const time = next.value.time[0] ?? 0;
        zero ??= time;
        await waitUntil(started + (time - zero) / 1e6 / options.speed, stopped);
      }
      const taken = sink.push(next.value);
      if (taken !== undefined) await taken;
      if (performance.now() - turn > TURN_MS) {
        await nextTurn();
        turn = performance.now();
      }
    }
    return { error: null };
  } catch (error) {
    return { error };
  }
}

async function waitUntil(due: number, stopped: () => boolean): Promise<void> {
  for (;;) {
    const left = due - performance.now();
    if (left <= 0 || stopped()) return;
    await sleep(Math.min(left, PACE_STEP_MS));
  }
}

/** Why a recording ends early, in words; null for a whole one and for live sources. */
export function truncation(source: Source): string | null {
  return 'truncated' in source && typeof source.truncated === 'string' ? source.truncated : null;
}
