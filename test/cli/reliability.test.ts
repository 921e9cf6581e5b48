// SPDX-License-Identifier: MIT
/** Every promise of docs/reliability.md names a test that holds it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Promise, file and name of each row. */
function promises(text: string): string[][] {
  return [...text.matchAll(/^\| (?!Promise|---)(.+?) \| `(.+?)`: (.+) \|$/gm)].map((match) => match.slice(1));
}

const lacking = (rows: readonly string[][]): string[] =>
  rows
    .filter(([, file = '', name = '']) => !existsSync(join(ROOT, file)) || !read(file).includes(name))
    .map((row) => row.join(': '));

test('each promise is held by a test of that name', () => {
  const text = read('docs/reliability.md');
  const rows = promises(text);
  assert.ok(rows.length > 20, `${rows.length} promises`);
  // No row is passed over.
  assert.equal(rows.length, text.split('\n').filter((line) => line.startsWith('| ')).length - 1);
  assert.deepEqual(lacking(rows), []);
});

test('a test that is not there is found', () => {
  const row = ['It is fast', 'test/cli/reliability.test.ts', `it is ${'fast'}`];
  assert.deepEqual(lacking([row]), [row.join(': ')]);
  assert.deepEqual(lacking([['It is fast', 'test/none.test.ts', 'x']]), ['It is fast: test/none.test.ts: x']);
});
