// SPDX-License-Identifier: MIT
/** The dashboard over the invented host, in a real terminal: for eyes, and for the tests of how it ends. */
import { Dashboard } from '../../cli/tui/dashboard.js';
import { snapshotAt } from './fixture.js';

const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;
let seconds = 130;

const dashboard = new Dashboard({
  mode: 'live',
  intervalMs: 1000,
  onQuit(signal) {
    process.exit(signal === null ? 0 : CODES[signal]);
  },
});
// A history from the first frame on.
for (let s = 60; s <= seconds; s++) dashboard.update(snapshotAt(s));
setInterval(() => {
  seconds += 1;
  dashboard.update(snapshotAt(seconds));
  if (process.argv.includes('--throw')) throw new Error('thrown by the demo');
}, 1000);
