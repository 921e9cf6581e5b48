// SPDX-License-Identifier: MIT
/** Node's clock and event loop, for the loop over a source (`drive`). */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './core/events/drive.js';

export const NODE_CLOCK: Clock = {
  now: () => performance.now(),
  turn: () => nextTurn(),
  sleep: (ms) => sleep(ms),
};
