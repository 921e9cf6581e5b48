// SPDX-License-Identifier: MIT
/** Names chosen by others, in every output: no name ends a line, moves a cursor, reverses text or is evaluated by a spreadsheet. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blocksOf, cleanLine, csvCell, jsonOf, textOf } from '../../src/core/present/clean.js';
import { metricsText } from '../../src/metrics/text.js';
import { escapeText } from '../../src/report/html.js';
import { GUEST_RECORDING } from '../export/support.js';
import { longOnly } from '../long.js';
import { writeChanged } from '../recording/hostile.js';
import { run } from './run.js';

const HOSTILE = '=1\nFORGED \x1b]0;t\x07\x1b[2J\x9b1m\u202e\u2028\u200b\x7f"<';
const directory = mkdtempSync(join(tmpdir(), 'vlt-hostile-'));
const recording = join(directory, 't.vmlt');
after(() => rmSync(directory, { recursive: true }));

before(() =>
  writeChanged(recording, {
    session: (session) => ({
      ...session,
      host: HOSTILE,
      kernel: `7.3${HOSTILE}`,
      tool: HOSTILE,
      commandLine: [HOSTILE],
      preemption: HOSTILE,
      filters: { comm: HOSTILE },
      hooks: session.hooks.map((hook) => ({ ...hook, note: HOSTILE, attached: false })),
    }),
    batch: ({ strings }) => strings.map((_, i) => (i === 0 ? '' : `${HOSTILE}${i}`)),
  }),
);

/** What no terminal and no log is to get; a line's end is ours alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are looked for
const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]|\p{Cf}/u;

function clean(text: string, what: string): void {
  const found = RAW.exec(text);
  assert.equal(
    found,
    null,
    `${what}: U+${found?.[0].codePointAt(0)?.toString(16)} behind ${JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 60), found?.index))}`,
  );
  assert.doesNotMatch(text, /^\s*FORGED/m, what);
}

/** What is printed by the same hand as the one before it is only in the long form. */
const AGAIN = [
  'diff --json',
  'info --json',
  'verdict --json',
  'check --json',
  'replay --alerts',
  'export attempts',
  'export waits',
];
const isAgain = (argv: readonly string[]): boolean =>
  AGAIN.some((words) => words.split(' ').every((word) => argv.some((arg) => arg === word)));

const COMMANDS: readonly (readonly string[])[] = [
  ['stat', recording],
  ['stat', recording, '--json'],
  ['stat', recording, '--fail-on', 'retry_rate > 0'],
  ['check', recording],
  ['check', recording, '--json'],
  ['verdict', recording],
  ['verdict', recording, '--json'],
  ['info', recording],
  ['info', recording, '--json'],
  ['diff', GUEST_RECORDING, recording],
  ['diff', GUEST_RECORDING, recording, '--json'],
  ['replay', recording],
  ['replay', recording, '--alerts'],
  ['export', recording, '-f', 'jsonl', '-o', '-'],
  ['export', recording, '-f', 'csv', '-o', '-'],
  ['export', recording, '-f', 'csv', '-t', 'events', '-o', '-'],
  ['export', recording, '-f', 'jsonl', '-t', 'attempts', '-o', '-'],
  ['export', recording, '-f', 'csv', '-t', 'waits', '-o', '-'],
  ['stat', `${recording}${HOSTILE.replaceAll('\0', '')}`],
];

for (const argv of COMMANDS) {
  test(argv.join(' ').replace(directory, '').slice(0, 60), { skip: isAgain(argv) ? longOnly : false }, async () => {
    const { stdout, stderr } = await run(argv);
    assert.ok(stdout.length + stderr.length > 100);
    clean(stdout, 'stdout');
    clean(stderr, 'stderr');
    if (argv.includes('csv')) assert.doesNotMatch(stdout, /(^|,)"?[=+@]/m);
  });
}

test('the report', async () => {
  const page = join(directory, 'page.html');
  assert.equal((await run(['report', recording, '-o', page])).code, 0);
  // A line's end is white space there, as a tab is.
  clean(readFileSync(page, 'utf8').replaceAll(/[\t\n]/g, ' '), 'page');
});

// Markup in the names of processes and of the file, as in all others.
test('the page of verdict', async () => {
  const MARKUP = '</td><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\u2066\u202e\nFORGED';
  const named = join(directory, `${MARKUP.replaceAll('/', '')}.vmlt`);
  await writeChanged(named, {
    session: (session) => ({ ...session, host: MARKUP, kernel: `7.3${MARKUP}` }),
    batch: ({ strings }) => strings.map((_, i) => (i === 0 ? '' : `${MARKUP}${i}`)),
  });
  const page = join(directory, 'verdict.html');
  assert.equal((await run(['verdict', named, '-o', page])).code, 0);
  const text = readFileSync(page, 'utf8');
  clean(text.replaceAll(/[\t\n]/g, ' '), 'page');
  const shown = text.match(/&lt;script&gt;alert\(1\)/g)?.length ?? 0;
  // The title; name, host and kernel in the heading; the process.
  assert.ok(shown >= 5, `${shown} hostile names on the page`);
  assert.match(text, /<t[dh][^>]*>\d+ &lt;\/td&gt;/, 'the row of a process');
  assert.doesNotMatch(text, /<script|<img|<\/td><script|\sonerror=alert\(1\)>/);
  assert.match(text, /&amp;lt;/);
});

test('a version nobody knows', async () => {
  const path = join(directory, 'version.vmlt');
  await writeChanged(path, { session: (session) => ({ ...session, v: HOSTILE }) });
  const { code, stderr } = await run(['info', path]);
  assert.equal(code, 2);
  clean(stderr, 'stderr');
});

test('JSON says every name as it was', () => {
  const text = jsonOf({ name: HOSTILE });
  clean(text, 'json');
  assert.deepEqual(JSON.parse(text), { name: HOSTILE });
});

test('the one place: lines, blocks, cells, labels, pages', () => {
  assert.equal(cleanLine('postgres: värld 日本 ≈ │'), 'postgres: värld 日本 ≈ │');
  assert.equal(textOf(['a\nb', 'c\x1b']), 'a?b\nc?\n');
  assert.equal(blocksOf([['a'], [], ['b', 'c']]), '\na\n\nb\nc\n\n');
  assert.equal(csvCell('=SUM(A1)'), "'=SUM(A1)");
  for (const formula of ['+1', '-1', '@x', ' =1', '\t=1']) assert.match(csvCell(formula), /^'/, formula);
  assert.equal(csvCell(-1), '-1');
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  assert.equal(csvCell(''), '""');
  assert.equal(csvCell(null), '');
  clean(escapeText(HOSTILE).replaceAll('\n', ' '), 'html');
  const samples = [{ labels: { comm: HOSTILE }, value: 1 }];
  const text = metricsText([{ name: 'x', help: HOSTILE, type: 'gauge', unit: '', samples }], 'prometheus');
  clean(text, 'metrics');
  assert.equal(text.trimEnd().split('\n').length, 3);
});
