// SPDX-License-Identifier: MIT
/** What is missing from a recording: part of every export, because no figure can be trusted without it. */
import type { Snapshot } from '../../core/aggregate/snapshot.js';

export interface Losses {
  readonly emitted: number;
  readonly decoded: number;
  /** Records the ring had no room for. */
  readonly dropped: number;
  /** Program runs the kernel skipped. */
  readonly missed: number;
  /** Lifecycles that could not be opened because there was no room for per-task state. */
  readonly stateLost: number;
  readonly lifecycles: number;
  /** Of those: lack a step. */
  readonly incomplete: number;
  /** Of those: given up because too many were open at a time. */
  readonly evicted: number;
  /** Hooks the session wanted and did not get. */
  readonly notHooked: readonly string[];
  /** How the recording was cut off, in words; null when it is whole. */
  readonly truncated: string | null;
}

export function lossesOf(snapshot: Snapshot, truncated: string | null): Losses {
  const { events, lifecycles, session } = snapshot;
  return {
    emitted: events.emitted,
    decoded: events.decoded,
    dropped: events.dropped,
    missed: events.missed,
    stateLost: events.stateLost,
    lifecycles: lifecycles.total,
    incomplete: lifecycles.incomplete,
    evicted: lifecycles.evicted,
    notHooked: session.hooks.filter(({ attached }) => !attached).map(({ target }) => target),
    truncated,
  };
}

/** In one line: `3 events dropped, 0 missed, 2 of 100 lifecycles incomplete`. */
export function describeLosses(losses: Losses): string {
  const { dropped, missed, incomplete, lifecycles, stateLost, evicted, truncated } = losses;
  const parts = [`${dropped} events dropped, ${missed} missed`, `${incomplete} of ${lifecycles} lifecycles incomplete`];
  if (stateLost > 0) parts.push(`${stateLost} lifecycles without state`);
  if (evicted > 0) parts.push(`${evicted} given up`);
  if (truncated !== null) parts.push(`recording cut off: ${truncated}`);
  return parts.join(', ');
}
