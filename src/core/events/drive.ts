// SPDX-License-Identifier: MIT
/**
 * The one loop over a source: every command and the daemon push batches through it. It lets timers, keys and signals
 * have their turn, plays at a pace where asked to, and ends when asked to.
 */
import type { EventBatch } from './batch.js';
import type { Source } from './source.js';

/** What the loop needs of the host; src/clock.ts has Node's. */
export interface Clock {
  /** ms, of a clock that never steps back. */
  now(): number;
  /** Everything that waits for the event loop runs before it settles. */
  turn(): Promise<void>;
  sleep(ms: number): Promise<void>;
}

export interface DriveOptions {
  /** Play at recorded time times this factor; absent: as fast as batches come. */
  readonly speed?: number | undefined;
  /** Asked between batches and during waits; true ends the loop. */
  readonly stopped?: (() => boolean) | undefined;
}

export interface DriveResult {
  /** What the source ended with; null when it ended well. What came before it was pushed. */
  readonly error: unknown;
}

/** Takes a batch; false: no more is wanted. With a promise the next batch comes when it settles. */
export type Push = (batch: EventBatch) => unknown;

/** Batches that are there already keep timers, keys and signals waiting so long, and for the rest of one batch; ms. */
const TURN_MS = 5;
/** Waits of a paced replay are cut in pieces, so that a stop is noticed, ms. */
const PACE_STEP_MS = 100;

/**
 * Pushes every batch of `source`. What the source throws is in the result: a damaged end leaves the good part.
 * Rejects with what `push` throws.
 */
export async function drive(
  source: Pick<Source, 'batches'>,
  push: Push,
  clock: Clock,
  { speed, stopped = () => false }: DriveOptions = {},
): Promise<DriveResult> {
  const batches = source.batches()[Symbol.asyncIterator]();
  const started = clock.now();
  let turn = started;
  let zero: number | null = null;
  try {
    while (!stopped()) {
      const next = await batches.next().catch((error: unknown) => ({ done: true, error }) as const);
      if (next.done === true) return { error: 'error' in next ? next.error : null };
      if (stopped()) break;
      const batch = next.value;
      if (speed !== undefined && batch.length > 0) {
        const time = batch.time[0] as number;
        zero ??= time;
        await waitUntil(clock, started + (time - zero) / 1e6 / speed, stopped);
        if (stopped()) break;
      }
      const taken = push(batch);
      if ((taken instanceof Promise ? await taken : taken) === false) break;
      if (clock.now() - turn <= TURN_MS) continue;
      await clock.turn();
      turn = clock.now();
    }
  } finally {
    // What the source holds open is given up, however the loop ends.
    await batches.return?.();
  }
  return { error: null };
}

async function waitUntil(clock: Clock, due: number, stopped: () => boolean): Promise<void> {
  for (let left = due - clock.now(); left > 0 && !stopped(); left = due - clock.now())
    await clock.sleep(Math.min(left, PACE_STEP_MS));
}
