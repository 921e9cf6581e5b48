// SPDX-License-Identifier: MIT
/** Parquet, JSON Lines and CSV as DuckDB reads them: the counts are those of `stat --json`, the queries of the docs run. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { SessionInfo } from '../../src/core/events/session.js';
import { TABLES } from '../../src/export/base/choices.js';
import { run } from '../cli/run.js';
import { GUEST_RECORDING } from './support.js';

let dir = '';
let duckdb: DuckDBConnection;

interface Stat {
  readonly counts: { readonly faults: number; readonly vmaLock: Readonly<Record<string, number>> };
  readonly events: { readonly decoded: number; readonly dropped: number; readonly missed: number };
  readonly lifecycles: { readonly total: number; readonly byEnd: Readonly<Record<string, number>> };
  readonly retry: { readonly total: number; readonly byCause: Readonly<Record<string, number>> };
  readonly waits: Readonly<Record<string, { readonly count: number; readonly sumNs: string } | null>>;
}
let stat: Stat;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-duckdb-'));
  const exports: [format: string, table: string, file: string][] = [
    ...TABLES.map((table): [string, string, string] => ['parquet', table, `${table}.parquet`]),
    ['jsonl', 'lifecycles', 'lifecycles.jsonl'],
    ['csv', 'lifecycles', 'lifecycles.csv'],
  ];
  const made = exports.map(async ([format, table, file]) => {
    const { code, stderr } = await run(['export', GUEST_RECORDING, '-f', format, '-t', table, '-o', join(dir, file)]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /events dropped, .* missed, .* lifecycles incomplete/);
  });
  const summary = run(['stat', '--json', GUEST_RECORDING]);
  await Promise.all(made);
  const fleet = join(dir, 'faults/lifecycles/date=2026-11-23');
  await mkdir(fleet, { recursive: true });
  for (const host of ['web1', 'web2']) await copyFile(join(dir, 'lifecycles.parquet'), join(fleet, `${host}.parquet`));
  stat = JSON.parse((await summary).stdout) as Stat;
  duckdb = await (await DuckDBInstance.create(':memory:')).connect();
});
after(async () => {
  duckdb.closeSync();
  await rm(dir, { recursive: true });
});

async function query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const here = sql.replace(/'([a-z/*]+\.(?:parquet|jsonl|csv))'/g, (_, path) => `'${join(dir, path)}'`);
  const rows = await (await duckdb.run(here)).getRowObjectsJS();
  return rows as readonly Readonly<Record<string, unknown>>[];
}

async function one(sql: string): Promise<unknown> {
  const [row] = await query(sql);
  assert.ok(row);
  return Object.values(row)[0];
}

test('the table of lifecycles counts as `stat --json` counts', async () => {
  assert.equal(Number(await one(`SELECT count(*) FROM 'lifecycles.parquet'`)), stat.lifecycles.total);
  for (const { how, faults } of await query(`SELECT how, count(*) AS faults FROM 'lifecycles.parquet' GROUP BY how`)) {
    assert.equal(Number(faults), stat.lifecycles.byEnd[String(how)]);
  }
  assert.equal(Number(await one(`SELECT count(DISTINCT id) FROM 'lifecycles.parquet'`)), stat.lifecycles.total);
});

test('the table of attempts has the retries by cause', async () => {
  const causes = await query(
    `SELECT cause, count(*) AS n FROM 'attempts.parquet' WHERE lock = 'vma' AND outcome = 'retry' GROUP BY cause`,
  );
  const seen = Object.fromEntries(Object.entries(stat.retry.byCause).filter(([, count]) => count > 0));
  assert.deepEqual(Object.fromEntries(causes.map(({ cause, n }) => [cause, Number(n)])), seen);
});

test('the table of waits has their number and their time to the nanosecond', async () => {
  for (const kind of ['folio', 'mmapLock']) {
    const [row] = await query(
      `SELECT count(*) AS n, sum(duration_ns) AS ns FROM 'waits.parquet' WHERE kind = '${kind}' AND duration_ns IS NOT NULL`,
    );
    assert.equal(Number(row?.n), stat.waits[kind]?.count);
    assert.equal(String(row?.ns), stat.waits[kind]?.sumNs);
    const flat = `${kind === 'folio' ? 'folio' : 'mmap_lock'}_ns`;
    assert.equal(String(await one(`SELECT sum(${flat}) FROM 'lifecycles.parquet'`)), stat.waits[kind]?.sumNs);
  }
});

test('the table of events has every event, and the counters that the counts come from', async () => {
  assert.equal(Number(await one(`SELECT count(*) FROM 'events.parquet' WHERE kind < 128`)), stat.events.decoded);
  const counter = async (name: string): Promise<number> =>
    Number(await one(`SELECT max(value) FROM 'events.parquet' WHERE counter = '${name}'`));
  assert.equal(await counter('kernel/VMA_OK'), stat.counts.vmaLock.success);
  assert.equal(await counter('kernel/VMA_RETRY'), stat.counts.vmaLock.retry);
  const missed = await one(
    `SELECT sum(total) FROM (SELECT max(value) AS total FROM 'events.parquet' WHERE counter LIKE 'missed/%' GROUP BY counter)`,
  );
  assert.equal(Number(missed), stat.events.missed);
  assert.equal(Number(await one(`SELECT count(*) FROM 'events.parquet' WHERE name IS NULL OR name LIKE 'kind %'`)), 0);
});

test('types: times are timestamps with a zone, 64-bit flags are unsigned, the session is in the metadata', async () => {
  const types = new Map(
    (await query(`DESCRIBE SELECT * FROM 'lifecycles.parquet'`)).map(({ column_name, column_type }) => [
      column_name,
      column_type,
    ]),
  );
  assert.match(String(types.get('time')), /^TIMESTAMP/);
  assert.equal(types.get('vm_flags'), 'UBIGINT');
  assert.equal(types.get('address'), 'BIGINT');
  assert.equal(types.get('entered_swap'), 'BOOLEAN');
  const json = await one(
    `SELECT decode(value) FROM parquet_kv_metadata('lifecycles.parquet') WHERE decode(key) = 'vmalocktop.session'`,
  );
  const session = JSON.parse(String(json)) as SessionInfo;
  assert.equal(await one(`SELECT DISTINCT kernel FROM 'lifecycles.parquet'`), session.kernel);
  // The wall clock of the first step, against the clock pair of the session. DuckDB's times with a zone are in µs.
  const [row] = await query(
    `SELECT epoch_us(time) AS us, first_ns FROM 'lifecycles.parquet' ORDER BY first_ns LIMIT 1`,
  );
  const [pair] = session.clocks;
  assert.ok(row && pair);
  const expected = BigInt(pair.realtimeNs) + BigInt(String(row.first_ns)) - BigInt(pair.time);
  assert.equal(BigInt(String(row.us)), expected / 1000n);
});

test('Parquet, JSON Lines and CSV hold the same lifecycles', async () => {
  const columns = 'id, tid, comm, address, how, cause, folio_ns, mmap_lock_ns, duration_ns, retries, lost';
  const sources: readonly string[] = [
    `'lifecycles.parquet'`,
    `(SELECT * FROM read_json('lifecycles.jsonl', format = 'newline_delimited', union_by_name = true) WHERE type = 'lifecycle')`,
    `'lifecycles.csv'`,
  ];
  const [parquet, ...others] = sources;
  for (const other of others) {
    const differ = `SELECT ${columns} FROM ${parquet} EXCEPT SELECT ${columns} FROM ${other}`;
    assert.deepEqual(await query(differ), []);
    assert.equal(Number(await one(`SELECT count(*) FROM ${other}`)), stat.lifecycles.total);
  }
});

test('every query of docs/analysis.md runs and has an answer', async () => {
  const docs = await readFile(new URL('../../../docs/analysis.md', import.meta.url), 'utf8');
  const queries = [...docs.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) => sql ?? '');
  assert.ok(queries.length >= 10);
  for (const sql of queries) assert.ok((await query(sql)).length > 0, sql);
});
