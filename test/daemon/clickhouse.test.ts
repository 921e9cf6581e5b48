// SPDX-License-Identifier: MIT
/** The queries of docs/analysis.md for ClickHouse, over the lake of a fleet: they say what DuckDB's views say. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { longOnly } from '../long.js';
import { FLEET_KERNELS, makeFleet } from './fleet.js';

interface ClickHouse {
  query(sql: string, format: string): string;
}

/** Half a gigabyte: no dependency of the project, so that nobody waits for it who does not want it. */
const chdb = (await import('chdb' as string).catch(() => null)) as ClickHouse | null;
const skip = chdb === null && 'chdb (ClickHouse in a library) is not installed: scripts/setup clickhouse';
const HOSTS = longOnly === false ? 1000 : 100;

const read = (name: string): Promise<string> => readFile(new URL(`../../../${name}`, import.meta.url), 'utf8');

test(`${HOSTS} hosts: ClickHouse answers what DuckDB answers`, { skip }, async (t) => {
  const lake = await mkdtemp(join(tmpdir(), 'vmalocktop-clickhouse-'));
  t.after(() => rm(lake, { recursive: true }));
  const followed = await makeFleet(lake, HOSTS);
  const docs = await read('docs/analysis.md');
  const queries = [...docs.matchAll(/^```sql ClickHouse\n(.*?)^```$/gms)].map(([, sql = '']) =>
    sql.replaceAll("s3('https://faults.s3.amazonaws.com/", `file('${lake}/`),
  );
  assert.equal(queries.length, 3);
  const rows = queries.map((sql) => {
    assert.ok(!sql.includes('s3('), sql);
    const text = chdb?.query(sql, 'JSONCompactEachRow') ?? '';
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
  });
  const duckdb = await (await DuckDBInstance.create()).connect();
  t.after(() => duckdb.closeSync());
  await duckdb.run(`SET VARIABLE lake = '${lake}'`);
  for (const statement of (await read('share/sql/views.sql')).split(';\n'))
    if (/CREATE/.test(statement)) await duckdb.run(statement);
  const expected = async (sql: string): Promise<unknown[][]> =>
    (await duckdb.runAndReadAll(sql))
      .getRows()
      .map((row) => row.map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell)));

  const [kernels = [], causes = [], waits = []] = rows.map((table) => table.map((row) => row.map(plain)));
  assert.deepEqual(kernels.map(([kernel]) => kernel).sort(), [...FLEET_KERNELS]);
  assert.equal(
    kernels.reduce((sum, [, , count]) => sum + Number(count), 0),
    followed,
  );
  near(kernels, await expected('SELECT kernel, hosts, followed, retried, mmap_lock_ms FROM kernels ORDER BY kernel'));
  near(causes, await expected('SELECT kernel, cause, verdict, faults, ms FROM causes ORDER BY ALL'));
  near(waits, await expected('SELECT kernel, kind, held, waits, ms FROM wait_kinds ORDER BY ALL'));
});

/** Counts of 64 bits come as strings. */
function plain(cell: unknown): unknown {
  return typeof cell === 'string' && /^\d+$/.test(cell) ? Number(cell) : cell;
}

/** Equal but for the last digits of sums of fractions. */
function near(found: readonly unknown[][], expected: readonly unknown[][]): void {
  const rounded = (rows: readonly unknown[][]): string[] =>
    rows
      .map((row) =>
        row
          .map((cell) => (typeof cell === 'number' && !Number.isInteger(cell) ? cell.toPrecision(9) : String(cell)))
          .join('\t'),
      )
      .sort();
  assert.ok(expected.length > 0);
  assert.deepEqual(rounded(found), rounded(expected));
}
