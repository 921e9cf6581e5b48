// SPDX-License-Identifier: MIT
/** Widths and figures. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import xterm from '@xterm/headless';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatInterval,
  formatLower,
  formatRate,
  formatShare,
} from '../../src/core/present/format.js';
import { emittedWords } from '../../src/core/present/rows.js';
import { bar, cut, pad, sanitise, textWidth } from '../../src/core/present/text.js';

const blessedUnicode = createRequire(import.meta.url)('blessed/lib/unicode') as { charWidth(char: string): number };

test('every character of the basic plane is as wide as terminal and blessed have it, or shown as ?', async () => {
  const terminal = new xterm.Terminal({ cols: 80, rows: 2, allowProposedApi: true });
  // The terminal itself says where its cursor stands after each character.
  const columns: number[] = [];
  terminal.onData((report) => columns.push(Number(/;(\d+)R/.exec(report)?.[1]) - 1));
  const shown: string[] = [];
  for (let code = 0; code <= 0xffff; code++) {
    const char = sanitise(String.fromCharCode(code));
    if (char !== '?') shown.push(char);
  }
  assert.ok(shown.length > 40_000);
  for (let i = 0; i < shown.length; i += 1000) {
    const chunk = shown.slice(i, i + 1000).map((char) => `\r${char}\x1b[6n`);
    await new Promise<void>((resolve) => terminal.write(chunk.join(''), resolve));
  }
  const hex = (char: string): string => (char.codePointAt(0) ?? 0).toString(16);
  assert.deepEqual(shown.filter((char, i) => columns[i] !== textWidth(char)).map(hex), []);
  assert.deepEqual(shown.filter((char) => blessedUnicode.charWidth(char) !== textWidth(char)).map(hex), []);
});

test('control, combining, bidi and emoji characters cannot move a column', () => {
  assert.equal(sanitise('a\x1b[2J\tb\r\n'), 'a?[2J?b??');
  assert.equal(sanitise('e\u0301'), 'e?');
  assert.equal(sanitise('\u202eabc'), '?abc');
  assert.equal(sanitise('x🚀y'), 'x?y');
  assert.equal(sanitise('日本'), '日本');
});

test('a cut never splits a wide character', () => {
  assert.equal(cut('日本語', 4), '日…');
  assert.equal(textWidth(pad('日本語', 4)), 4);
  assert.equal(pad('日本語', 8, 'right'), '  日本語');
  assert.equal(cut('abc', 0), '');
});

test('a bar shows something for something, and nothing for nothing', () => {
  assert.equal(bar(0, 4), '    ');
  assert.equal(bar(1e-9, 4), '▏   ');
  assert.equal(bar(1, 4), '████');
  assert.equal(bar(Number.NaN, 4), '    ');
  assert.equal(bar(7, 4), '████');
});

test('counts', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [999, '999'],
    [1000, '1k'],
    [12_345, '12.3k'],
    [999_499, '999k'],
    [999_600, '1M'],
    [4.5e6, '4.5M'],
    [Number.NaN, '?'],
  ];
  for (const [value, text] of cases) assert.equal(formatCount(value), text);
  assert.equal(formatExact(1_234_567), '1,234,567');
  assert.equal(formatRate(0.25), '0.25/s');
  assert.equal(formatRate(Number.NaN), '–');
});

test('durations', () => {
  const cases: [number, string][] = [
    [0, '0 ns'],
    [999, '999 ns'],
    [1000, '1 µs'],
    [12_340, '12.3 µs'],
    [999_600, '1 ms'],
    [1.5e9, '1.5 s'],
    [200e9, '3 m 20 s'],
    [Number.NaN, '?'],
    [Number.POSITIVE_INFINITY, '∞'],
    [-1500, '-1.5 µs'],
  ];
  for (const [value, text] of cases) assert.equal(formatDuration(value), text);
});

test('intervals', () => {
  const inf = Number.POSITIVE_INFINITY;
  assert.equal(formatInterval({ lo: 12_000, hi: 12_000 }), '12 µs');
  assert.equal(formatInterval({ lo: 12_000, hi: 40_000 }), '12 µs…40 µs');
  assert.equal(formatInterval({ lo: 12_000, hi: inf }), '≥ 12 µs');
  assert.equal(formatInterval({ lo: 0, hi: 40_000 }), '≤ 40 µs');
  assert.equal(formatInterval({ lo: -inf, hi: inf }), '?');
  assert.equal(formatLower({ lo: 12_000, hi: 40_000 }), '≥ 12 µs');
});

test('shares and bytes', () => {
  assert.equal(formatShare(0), '0%');
  assert.equal(formatShare(1), '100%');
  assert.equal(formatShare(0.0001), '<0.1%');
  assert.equal(formatShare(0.99999), '>99.9%');
  assert.equal(formatShare(0.625), '62.5%');
  assert.equal(formatShare(Number.NaN), '–');
  assert.equal(formatBytes(4096), '4 KiB');
});

test('rows that came after the last count of the kernel were emitted all the same', () => {
  assert.equal(emittedWords({ emitted: 120, emittedAtLeast: false }), '120');
  assert.equal(emittedWords({ emitted: 121, emittedAtLeast: true }), '≥ 121');
});
