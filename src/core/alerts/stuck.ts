// SPDX-License-Identifier: MIT
/** The oldest fault in flight. */
import type { Lifecycle } from '../lifecycle.js';
import { lasted } from '../view-lifecycle.js';

/** For how long the oldest of `inFlight` has lasted at least at `time` (ns), in seconds; 0 when there is none. */
export function oldestSeconds(inFlight: readonly Lifecycle[], time: number): number {
  let ns = 0;
  for (const lifecycle of inFlight) ns = Math.max(ns, lasted(lifecycle, time).lo);
  return ns / 1e9;
}
