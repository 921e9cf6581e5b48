// SPDX-License-Identifier: MIT
/**
 * The oldest fault in flight, of those that surely are. A fault whose end was lost looks as if it went on until its task
 * faults again, which may be never: it must not be taken for one that is stuck.
 */

import type { Figures } from '../aggregate/figures.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { lasted } from '../present/lifecycle.js';

/** Times of the snapshots that showed the latest losses, ns; -Infinity while there were none. */
export interface Losses {
  readonly dropped: number;
  readonly missed: number;
}

export const NO_LOSSES: Losses = { dropped: Number.NEGATIVE_INFINITY, missed: Number.NEGATIVE_INFINITY };

/** `before`: null for the beginning of the session. */
export function lossesAt({ dropped, missed }: Losses, before: Figures | null, now: Figures): Losses {
  const { events, time } = now;
  return {
    dropped: events.dropped > (before?.events.dropped ?? 0) ? time : dropped,
    missed: events.missed > (before?.events.missed ?? 0) ? time : missed,
  };
}

/**
 * Whether its end cannot have been lost: no record was dropped since its last step, and either no program run was missed
 * or it was seen to begin a wait. Two misses in one fault, of the wait's end and of the fault's, are not reckoned with.
 */
function surelyOpen({ last, waits }: Lifecycle, { dropped, missed }: Losses): boolean {
  const wait = waits.at(-1);
  const waiting = wait !== undefined && Number.isNaN(wait.end);
  return last > dropped && (waiting || last > missed);
}

/**
 * The time up to which the ring is known to have been read, ns. The counters are read on time, records when there is
 * CPU for it: with records waiting in the ring, a fault may be over though its end has not been read.
 */
export function readUntil({ time, ringUsedBytes, latest, inFlight }: Figures): number {
  if (ringUsedBytes === 0) return time;
  return [...latest, ...inFlight].reduce((newest, { last }) => Math.max(newest, last), 0);
}

/** For how long the oldest of `inFlight` has lasted at least at `time` (ns), in seconds; 0 when none surely goes on. */
export function oldestSeconds(inFlight: readonly Lifecycle[], time: number, losses: Losses): number {
  let ns = 0;
  for (const lifecycle of inFlight) {
    if (surelyOpen(lifecycle, losses)) ns = Math.max(ns, lasted(lifecycle, time).lo);
  }
  return ns / 1e9;
}
