// SPDX-License-Identifier: MIT
/**
 * How long may be waited on this machine. No test says how long something takes: what would never end is ended, and such a
 * limit is a multiple of the pace that was measured at the start of the run (test/run), eight times as large as is needed.
 */
import { spawnSync } from 'node:child_process';

/** What a start of Node takes on a quiet machine. */
const QUIET_MS = 50;
const ROOM = 8;

let pace: number | undefined;

function measure(): number {
  const begun = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  return (performance.now() - begun) / QUIET_MS;
}

/** How many times slower than a quiet machine this one is: 1 or more. */
export function paceHere(): number {
  pace ??= Math.max(1, Number(process.env.VMALOCKTOP_PACE) || measure());
  return pace;
}

/** The limit for what takes `ms` on a quiet machine. */
export function patience(ms: number): number {
  return Math.ceil(ms * ROOM * paceHere());
}
