// SPDX-License-Identifier: MIT
/**
 * The pictures of README and docs: the dashboard over the bundled recording, seen through a terminal emulator, as SVG.
 * `make golden` runs it.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openReplay } from '../src/recording/play/player.js';
import { bundledRecording } from '../test/tui/bundled.js';
import { open } from '../test/tui/terminal.js';
import { toSvg } from './screenshot.js';

const IMAGES = fileURLToPath(new URL('../../docs/img/', import.meta.url));

/** Name, columns, rows, and the keys that lead there from the overview a replay opens with. */
const PICTURES: readonly (readonly [string, number, number, readonly string[]])[] = [
  ['dashboard-160x45', 160, 45, []],
  ['dashboard-80x24', 80, 24, []],
  ['causes-120x30', 120, 30, ['4']],
  ['waits-120x30', 120, 30, ['5']],
  ['lifecycles-120x30', 120, 30, ['7']],
  ['waterfall-120x30', 120, 30, ['4', '\r']],
];

mkdirSync(IMAGES, { recursive: true });
for (const [name, columns, rows, keys] of PICTURES) {
  const replay = await openReplay(bundledRecording());
  const harness = await open(columns, rows, { mode: 'replay', replay });
  void harness.dashboard.play();
  await harness.until(/in the longest fault/);
  await harness.type(...keys);
  await harness.settle();
  writeFileSync(`${IMAGES}${name}.svg`, toSvg(harness.ansi()));
  harness.close();
  await replay.close();
  process.stdout.write(`docs/img/${name}.svg\n`);
}
// The emulator keeps a timer.
process.exit(0);
