// SPDX-License-Identifier: MIT
/**
 * The wall clock of a session. CLOCK_MONOTONIC stands still during suspend, and CLOCK_REALTIME is set and slewed, so one
 * pair of the two does for a while only: others come in rows of kind `UserKind.Clock`, and each holds until the next.
 */

import type { EventBatch } from './batch.js';
import type { ClockPair, SessionInfo } from './session.js';
import { pushUserRow, UserArgs } from './user-rows.js';

const SECOND = 1_000_000_000n;
/** ns by which two pairs may disagree and say the same. */
export const CLOCK_TOLERANCE_NS = 50e6;

/** Appends a pair read now: `time` is ns of the session. */
export function pushClock(batch: EventBatch, time: number, realtimeNs: bigint): void {
  pushUserRow(batch, 'Clock', time, {
    seconds: Number(realtimeNs / SECOND),
    nanoseconds: Number(realtimeNs % SECOND),
  });
}

/** The pair in row `i`, which is of kind Clock; null when it makes no sense. */
export function clockOf(batch: EventBatch, i: number): ClockPair | null {
  const seconds = batch[UserArgs.Clock.seconds][i] as number;
  const nanoseconds = batch[UserArgs.Clock.nanoseconds][i] as number;
  if (!(nanoseconds >= 0 && nanoseconds < 1e9)) return null;
  const realtimeNs = BigInt(seconds) * SECOND + BigInt(Math.floor(nanoseconds));
  return { time: batch.time[i] as number, realtimeNs: realtimeNs.toString() };
}

/** ns by which the wall clock is ahead of what `before` lets expect. */
function ahead(before: ClockPair, pair: ClockPair): number {
  return Number(BigInt(pair.realtimeNs) - BigInt(before.realtimeNs)) - (pair.time - before.time);
}

/**
 * Adds a later pair. One that the pair before it predicts is kept only until the next one: a session of months has as many
 * as the clocks drifted apart, not one a minute.
 */
export function addClock(clocks: ClockPair[], pair: ClockPair): void {
  const last = clocks.at(-1);
  if (last !== undefined && pair.time <= last.time) return;
  const before = clocks.at(-2);
  if (last !== undefined && before !== undefined && Math.abs(ahead(before, last)) < CLOCK_TOLERANCE_NS) clocks.pop();
  clocks.push(pair);
}

/** The session's pairs grow by row `i`, of kind Clock. */
export function noteClock(session: SessionInfo, batch: EventBatch, i: number): void {
  const pair = clockOf(batch, i);
  if (pair !== null) addClock(session.clocks as ClockPair[], pair);
}

/** The pair that holds at `time`: the last one not behind it, or the first there is. */
function pairAt(clocks: readonly ClockPair[], time: number): ClockPair | null {
  let holds: ClockPair | null = null;
  for (const pair of clocks) if (holds === null || pair.time <= time) holds = pair;
  return holds;
}

/** ns since the epoch, of a time in ns since the session's base; null when the session has no clock. */
export function wallNs({ clocks }: Pick<SessionInfo, 'clocks'>, time: number): bigint | null {
  const pair = Number.isFinite(time) ? pairAt(clocks, time) : null;
  return pair === null ? null : BigInt(pair.realtimeNs) + BigInt(Math.round(time - pair.time));
}

/**
 * When the wall clock first said so, ns since the session's base: one that was set back says it twice, and one that was set
 * forward, or slept, may never have said it: then the time at which it was past. null when the session has no clock.
 */
export function timeOfWall({ clocks }: Pick<SessionInfo, 'clocks'>, wall: bigint): number | null {
  for (const [i, pair] of clocks.entries()) {
    const next = clocks[i + 1];
    const time = pair.time + Number(wall - BigInt(pair.realtimeNs));
    if (next === undefined || time < next.time) return i === 0 ? time : Math.max(time, pair.time);
  }
  return null;
}
