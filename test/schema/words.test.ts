// SPDX-License-Identifier: MIT
/** What `a` and `b` of a row mean stands in VlArgs and UserArgs alone: no code reads or writes them by their letters. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createBatch } from '../../src/core/events/batch.js';
import { pushCounter, pushRow, pushUserRow, UserArgs, UserKind } from '../../src/core/events/user-rows.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** These handle rows of whatever kind: as columns, a step's words, or to show a kind that has no name here. */
const COLUMNS = new Set([
  'src/core/check/collect.ts',
  'src/core/check/describe.ts',
  'src/core/check/step-store.ts',
  'src/core/events/user-rows.ts',
  'src/core/lifecycle/fold.ts',
  'src/export/tables/events.ts',
  'src/live/decode.ts',
  'src/recording/format/columns.ts',
  'src/recording/read/names.ts',
]);
/** There `a` and `b` are the sides of a comparison. */
const SIDES = /^(src\/core\/diff\/|src\/report\/diff-section|cli\/commands\/diff\/)/;

test('a and b are read by the name of what is in them', () => {
  const found: string[] = [];
  for (const top of ['src', 'cli'])
    for (const name of readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })) {
      const file = join(top, name);
      if (!file.endsWith('.ts') || file.startsWith('src/schema/') || SIDES.test(file)) continue;
      const text = readFileSync(join(ROOT, file), 'utf8');
      const lines = text.split('\n').filter((line) => /\.[ab](?![\w(:])|[{,] [ab],? .*\} = |\b[ab]\[i\]/.test(line));
      if (lines.length > 0) found.push(file);
    }
  assert.deepEqual(
    found.filter((file) => !COLUMNS.has(file)),
    [],
  );
  // The pattern sees what there is to see.
  assert.ok(found.includes('src/core/lifecycle/fold.ts') && found.includes('src/live/decode.ts'), found.join());
});

test('each kind of user row has its words, and a row is written by them', () => {
  assert.deepEqual(Object.keys(UserArgs), Object.keys(UserKind));
  const batch = createBatch(4, ['']);
  pushCounter(batch, 5, 2, 3, 4);
  pushUserRow(batch, 'Counter', 5, { group: 2, index: 3, value: 4 });
  pushRow(batch, UserKind.Counter, 5, 2, 3, 4);
  pushUserRow(batch, 'Frame', 5, { stack: 7, index: 8, isKernel: 1 });
  const rows = [0, 1, 2, 3].map((i) => [batch.kind[i], batch.time[i], batch.a[i], batch.b[i], batch.value[i]]);
  assert.deepEqual(rows, [
    [128, 5, 2, 3, 4],
    [128, 5, 2, 3, 4],
    [128, 5, 2, 3, 4],
    [130, 5, 7, 8, 1],
  ]);
});
