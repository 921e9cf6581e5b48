// SPDX-License-Identifier: MIT
/** End to end: the command itself over the bundled recording in a pseudo-terminal, and each key that its help lists. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { keysOf } from '../../src/core/view/keys.js';
import { MAIN } from '../cli/run.js';
import { patience } from '../pace.js';
import { bundledRecording } from './bundled.js';
import { DOWN, END, ESC, F1, F3, F5, HOME, LEFT, PAGE_DOWN, PAGE_UP, RIGHT, SHIFT_TAB, UP } from './key-names.js';
import { run } from './pty.js';

const ONE_KEY = new RegExp(`${ESC}(?:\\[[\\d~A-Z]+|O[P-S])|[\\s\\S]`, 'g');

/** In this order: what is typed, and what the screen shows then. Keys as the help labels them stand before. */
const STEPS: readonly (readonly [label: string, typed: string, shows: RegExp])[] = [
  ['? h F1', F1, /╔═ Keys/],
  ['PgUp', `${PAGE_DOWN}${PAGE_UP}`, /1–\d+ of \d+ lines|1…9/],
  ['Esc', '\x1b', /╭─ Faults/],
  ['1…9', '5', /\[5 Waits\]/],
  ['Tab', '\t', /\[6 Writers\]/],
  ['Shift-Tab', SHIFT_TAB, /\[5 Waits\]/],
  ['l', '7l', /Latest \[Slowest\]/],
  ['↓ j', DOWN, /▸/],
  ['↑ k', UP, /▸/],
  ['End', END, /of 64 ═/],
  ['PgDn', PAGE_DOWN, /of 64 ═/],
  ['Home', HOME, /1–\d+ of 64 ═/],
  ['Enter', '\r', /One fault/],
  ['Esc', '\x1b', /Latest \[Slowest\]/],
  ['s F6', 's', /[▼▲]/],
  ['S', 'S', /[▼▲]/],
  ['r', 'r', /[▼▲]/],
  ['/ F4', '/pid:1\r', /nothing matches the filter/],
  ['Esc', '\x1b', /of 64/],
  ['F3', `2${F3}bash\r`, /▸ +182 +bash/],
  ['t F5', F5, /[▸▾] \/workload/],
  ['t F5', F5, /╔═ Processes/],
  ['i F2', 'i', /╔═ What it is/],
  ['Esc', '\x1b', /╔═ Processes/],
  ['a', '5a', /Length of waits/],
  ['+', '+', /2 s/],
  ['-', '-', /1 s/],
  ['c', 'c', /sent to the clipboard: wait for/],
  ['x', 'xj', /written: vmalocktop-waits-/],
  ['g', 'g2\r', /00:00:02\.0 ├/],
  ['→', RIGHT, /00:00:02\.[1-9] ├/],
  ['←', LEFT, /00:00:0(2\.0|1\.9) ├/],
  [']', ']', / 2× *$/m],
  ['[', '[', / 1× *$/m],
  ['.', '.', /‖ PAUSED/],
  ['n', 'n', /missed: |loss: |violation: |no marker behind/],
  ['N', 'N', /missed: |loss: |violation: |no marker before/],
  ['space', ' ', /▶ REPLAY|■ END/],
];

test('every key of the help does what it says, in a pseudo-terminal', { timeout: patience(30_000) }, async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'keys-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  const labels = new Set(STEPS.map(([label]) => label));
  const leaving = new Set(['Ctrl-Z', 'q F10 Ctrl-C']);
  for (const { label } of keysOf('replay')) assert.ok(labels.has(label) || leaving.has(label), `${label} is tried`);

  // Wide enough for the interval of + and - among the keys below.
  const shell = run(MAIN, { args: ['replay', bundledRecording()], columns: 136, rows: 30, cwd });
  t.after(shell.end);
  await shell.shows(/in the longest fault/);
  for (const [label, typed, shows] of STEPS) {
    // A terminal sends keys one by one; an escape sequence is one key.
    for (const key of typed.match(ONE_KEY) ?? []) {
      shell.write(key);
      await delay(30);
    }
    await shell.shows(shows).catch((error: unknown) => {
      throw new Error(`${label}: ${String(error)}`);
    });
  }
  const [exported] = readdirSync(cwd);
  assert.ok(exported?.endsWith('.json'), String(exported));
  assert.equal(JSON.parse(readFileSync(join(cwd, exported ?? ''), 'utf8')).list, 'waits');
  shell.write('q');
  await shell.restored(0);
});
