// SPDX-License-Identifier: MIT
/** Tables as text and as documented: values survive, nothing unknown is a number, the docs say what there is. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushEnd, pushUserRow } from '../../src/core/events/user-rows.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { TABLES } from '../../src/export/base/choices.js';
import { asText, isoTime } from '../../src/export/base/column.js';
import { Context } from '../../src/export/base/context.js';
import { COLUMNS } from '../../src/export/tables/tables.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { BATCHES, exported, lifecycles, sourceOf } from './support.js';

type Line = Readonly<Record<string, unknown>>;

async function jsonLines(table: (typeof TABLES)[number]): Promise<Line[]> {
  const { output } = await exported(sourceOf(BATCHES), { format: 'jsonl', table });
  const text = output.all().toString();
  assert.ok(text.endsWith('\n'));
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** RFC 4180, as any reader has it; quoted fields are marked, since an empty one is not null. */
function parseCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  for (let at = 0; at < text.length; ) {
    let field: string | null;
    if (text[at] === '"') {
      const match = /"((?:[^"]|"")*)"/y;
      match.lastIndex = at;
      const found = match.exec(text);
      assert.ok(found);
      field = (found[1] ?? '').replaceAll('""', '"');
      at = match.lastIndex;
    } else {
      const end = /[,\n]/g;
      end.lastIndex = at;
      const stop = end.exec(text)?.index ?? text.length;
      field = stop === at ? null : text.slice(at, stop);
      at = stop;
    }
    rows.at(-1)?.push(field);
    if (text[at] === '\n' && at + 1 < text.length) rows.push([]);
    at++;
  }
  return rows;
}

test('JSON Lines: the session first, one line a lifecycle with its attempts and waits, the losses last', async () => {
  const lines = await jsonLines('lifecycles');
  const expected = lifecycles();
  assert.equal(lines[0]?.type, 'session');
  assert.deepEqual(lines[0]?.session, syntheticSession());
  const losses = lines.at(-1);
  assert.equal(losses?.type, 'losses');
  assert.ok(Number(losses?.dropped) > 0);
  assert.equal(losses?.decoded, Number(losses?.emitted) - Number(losses?.dropped));
  const rows = lines.slice(1, -1);
  assert.equal(rows.length, expected.length);
  for (const [i, row] of rows.entries()) {
    const lifecycle = expected[i] as Lifecycle;
    assert.equal(row.type, 'lifecycle');
    assert.equal(row.id, lifecycle.id);
    assert.equal(row.how, lifecycle.how);
    assert.equal((row.attempts as Line[]).length, lifecycle.attempts.length);
    assert.deepEqual(
      (row.waits as Line[]).map(({ kind }) => kind),
      lifecycle.waits.map(({ kind }) => kind),
    );
    assert.equal(row.address, Number.isNaN(lifecycle.address) ? null : lifecycle.address);
    assert.equal(row.pte, String(lifecycle.pte));
    assert.equal(row.time, isoTime(1_700_000_000_000_000_000n + BigInt(lifecycle.first)));
    // Nothing hooked in this session shows waits for migration: none seen is not none.
    assert.equal(row.migration_ns, null);
  }
});

for (const table of TABLES) {
  test(`CSV of ${table} holds what JSON Lines hold`, async () => {
    const { output } = await exported(sourceOf(BATCHES), { format: 'csv', table });
    const [head, ...rows] = parseCsv(output.all().toString());
    assert.deepEqual(
      head,
      COLUMNS[table].map(({ name }) => name),
    );
    const lines = (await jsonLines(table)).slice(1, -1);
    assert.equal(rows.length, lines.length);
    for (const [i, row] of rows.entries()) {
      const line = lines[i] as Line;
      assert.deepEqual(
        row,
        COLUMNS[table].map(({ name }) => {
          const value = line[name];
          // `->fault needs mmap_lock` is a formula to a spreadsheet.
          return value === null
            ? null
            : typeof value === 'string' && /^[=+\-@]/.test(value)
              ? `'${value}`
              : String(value);
        }),
      );
    }
  });
}

test('names that would break a line, a quote or a terminal are one cell, and in JSON Lines as they were', async () => {
  const name = 'a",\r\n\u001b[31m=1+1 日本';
  const batch = createBatch(4, ['', name]);
  batch.length = 1;
  batch.kind[0] = VlKind.HMF_EXIT;
  batch.flags[0] = VlStepFlag.INFO;
  batch.comm[0] = 1;
  pushEnd(batch, 1);
  const { output } = await exported(sourceOf([batch]), { format: 'csv', table: 'events' });
  const [head, row] = parseCsv(output.all().toString());
  assert.equal(row?.[head?.indexOf('comm') ?? -1], 'a",???[31m=1+1 日本');
  const { output: lines } = await exported(sourceOf([batch]), { format: 'jsonl', table: 'events' });
  assert.equal((JSON.parse(lines.all().toString().split('\n')[1] ?? '') as { comm: string }).comm, name);
});

test('cgroups and swap devices bear their names from the row on that names them', () => {
  const batch = createBatch(4, ['', '/system.slice/db.service\tdb.service', '/dev/zram0', '/plain']);
  pushUserRow(batch, 'Cgroup', 0, { id: 4711 });
  batch.comm[0] = 1;
  pushUserRow(batch, 'SwapDevice', 0, { type: 2, flags: 0, isSynchronous: 1 });
  batch.comm[1] = 2;
  pushUserRow(batch, 'Cgroup', 0, { id: 4712 });
  batch.comm[2] = 3;
  const context = new Context(syntheticSession());
  assert.equal(context.cgroupPath(4711), null);
  context.observe(batch);
  assert.equal(context.cgroupPath(4711), '/system.slice/db.service');
  assert.equal(context.cgroupName(4711), 'db.service');
  assert.equal(context.cgroupName(4712), null);
  assert.equal(context.swapDevice(2), '/dev/zram0');
  assert.equal(context.swapDevice(0), null);
});

test('wall clock: by the latest pair before it, to the nanosecond; none without clocks', () => {
  const clocks = [
    { time: 0, realtimeNs: '1700000000000000001' },
    { time: 1000, realtimeNs: '1700000000000009001' },
  ];
  const context = new Context(syntheticSession({ clocks }));
  assert.equal(context.wallClock(999), 1_700_000_000_000_001_000n);
  assert.equal(context.wallClock(1001), 1_700_000_000_000_009_002n);
  assert.equal(context.wallClock(Number.NaN), null);
  assert.equal(new Context(syntheticSession({ clocks: [] })).wallClock(1), null);
  assert.equal(isoTime(-1n), '1969-12-31T23:59:59.999999999Z');
  assert.equal(asText('uint64', 2n ** 64n - 1n), '18446744073709551615');
});

test('docs/export.md lists every column with its type and meaning', async () => {
  const docs = await readFile(new URL('../../../docs/export.md', import.meta.url), 'utf8');
  for (const table of TABLES) {
    const part = docs.split(`### ${table}\n`)[1]?.split('\n### ')[0] ?? '';
    const listed = part.split('\n').filter((line) => line.startsWith('| `'));
    assert.deepEqual(
      listed,
      COLUMNS[table].map(({ name, type, about }) => `| \`${name}\` | ${type} | ${about} |`),
      table,
    );
  }
});

test('a counter that nobody knows is called by its number', async () => {
  const batch = createBatch(4, ['']);
  for (const group of [CounterGroup.Kernel, CounterGroup.Hist, CounterGroup.Self])
    pushUserRow(batch, 'Counter', 1, { group, index: 60_000, value: 1 });
  const { output } = await exported(sourceOf([batch]), { format: 'jsonl', table: 'events' });
  const names = output
    .all()
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { counter?: string }).counter)
    .filter((name) => name !== undefined);
  assert.deepEqual(names, ['kernel/60000', 'hist/60000', 'self/60000']);
});

for (const table of TABLES)
  test(`Parquet of ${table} takes every 32 bits that a hook can say`, async () => {
    const batches = synthesize(300, 11, { dropRate: 0.02 });
    for (const { a, b, length } of batches)
      for (let i = 0; i < length; i++) {
        a[i] = ((a[i] as number) | 0x8000_0000) >>> 0;
        b[i] = ((b[i] as number) | 0x8000_0000) >>> 0;
      }
    const { output, rows } = await exported(sourceOf(batches), { format: 'parquet', table });
    assert.ok(output.finished && (rows > 0 || table === 'stacks'));
  });
