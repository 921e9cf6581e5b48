// SPDX-License-Identifier: MIT
/** The lake: whole files by table and hour, as DuckDB reads them. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { LAKE_TABLES, Lake } from '../../src/daemon/lake.js';
import type { Losses } from '../../src/export/base/losses.js';
import { openFile } from '../../src/recording/read/file.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { GUEST_RECORDING } from '../export/support.js';
import { makeDaemon } from './support.js';

function lifecyclesOf(batches: readonly EventBatch[]): Lifecycle[] {
  const all: Lifecycle[] = [];
  const pipeline = new Pipeline(syntheticSession(), { onClosed: (lifecycle) => all.push(lifecycle) });
  for (const batch of batches) pipeline.push(batch);
  return all;
}

async function files(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));
}

describe('lake', () => {
  let dir = '';
  let duckdb: DuckDBConnection;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'vmalocktop-lake-'));
    duckdb = await (await DuckDBInstance.create()).connect();
  });
  after(async () => {
    duckdb.closeSync();
    await rm(dir, { recursive: true });
  });

  async function query(sql: string): Promise<Record<string, unknown>[]> {
    return (await duckdb.runAndReadAll(sql)).getRowObjects();
  }

  test('a recording played through the daemon: every lifecycle once in each table, nothing unfinished left', async () => {
    const lake = join(dir, 'one');
    const { daemon, lines } = await makeDaemon(await openFile(GUEST_RECORDING), `[lake]\ndirectory = "${lake}"\n`);
    await daemon.run();
    assert.deepEqual(
      lines.filter((line) => line.startsWith('lake')),
      [],
    );
    const found = await files(lake);
    assert.equal(found.length, LAKE_TABLES.length);
    for (const file of found) {
      assert.match(
        file,
        /^(lifecycles|attempts|waits)\/date=2026-\d\d-\d\d\/hour=\d\d\/[\w.-]+-[0-9a-f]{8}-[0-9a-f]{8}-000001\.parquet$/,
      );
      assert.equal((await stat(join(lake, file))).mode & 0o777, 0o600);
    }
    const { lifecycles, session } = daemon.snapshot();
    const [row] = await query(
      `SELECT count(*) AS n, count(DISTINCT id) AS ids, min(host) AS host FROM '${lake}/lifecycles/*/*/*.parquet'`,
    );
    assert.deepEqual([Number(row?.n), Number(row?.ids), row?.host], [lifecycles.total, lifecycles.total, session.host]);
    const [losses] = await query(
      `SELECT decode(value) AS v FROM parquet_kv_metadata('${lake}/lifecycles/*/*/*.parquet') WHERE decode(key) = 'vmalocktop.losses'`,
    );
    assert.equal((JSON.parse(String(losses?.v)) as Losses).lifecycles, lifecycles.total);
    const files_ = daemon.families().find(({ name }) => name === 'vmalocktop_lake_files');
    assert.deepEqual(files_?.type === 'counter' ? files_.samples.map(({ value }) => value) : null, [3, 0]);
  });

  test('an hour that is over closes its files; the oldest go beyond the size; a full disk costs a part, not the drain', async () => {
    const directory = join(dir, 'hours');
    const batches = synthesize(400, 5);
    const session = { ...syntheticSession(), clocks: [{ time: 0, realtimeNs: '1700000000000000000' }] };
    const lines: string[] = [];
    const losses = { lifecycles: 1 } as unknown as Losses;
    const lake = new Lake(
      session,
      { directory, tables: ['lifecycles'], size: 2 ** 20 },
      () => losses,
      (line) => lines.push(line),
    );
    const all = lifecyclesOf(batches).slice(0, 60);
    const tick = async (hour: number, from: number, to: number): Promise<void> => {
      for (const lifecycle of all.slice(from, to)) lake.lifecycle({ ...lifecycle, last: hour * 3.6e12 });
      const batch = batches[0];
      assert.ok(batch);
      lake.batch({ ...batch, length: 1, kind: new Uint8Array([1]), time: new Float64Array([hour * 3.6e12]) });
      await lake.settled();
    };
    await tick(0, 0, 20);
    await tick(0, 20, 30);
    assert.deepEqual(
      (await files(directory)).filter((it) => it.endsWith('.parquet')),
      [],
      'not whole yet',
    );
    await tick(1, 30, 50);
    assert.equal((await files(directory)).filter((it) => it.endsWith('.parquet')).length, 1);
    await lake.close();
    const rows = await query(
      `SELECT hour, count(*) AS n FROM read_parquet('${directory}/lifecycles/*/*/*.parquet', hive_partitioning = true) GROUP BY hour ORDER BY hour`,
    );
    assert.deepEqual(
      rows.map(({ n }) => Number(n)),
      [30, 20],
    );
    assert.equal(lake.figures.parts, 2);
    // Room for less than one file of the two.
    const [first = '', second = ''] = (await files(directory)).sort();
    const small = new Lake(
      session,
      { directory, tables: ['lifecycles'], size: 1 },
      () => losses,
      (line) => lines.push(line),
    );
    small.lifecycle(all[0] as (typeof all)[number]);
    small.batch(batches[0] as (typeof batches)[number]);
    await small.close();
    assert.equal(small.figures.removed, 3, `${first} ${second} and its own`);
    assert.equal(lines.length, 0);
    await writeFile(join(dir, 'file'), '');
    const refused = new Lake(
      session,
      { directory: join(dir, 'file'), tables: ['waits'], size: 2 ** 20 },
      () => losses,
      (line) => lines.push(line),
    );
    refused.lifecycle(all[0] as (typeof all)[number]);
    refused.batch(batches[0] as (typeof batches)[number]);
    await refused.close();
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^lake: .*ENOTDIR/);
    assert.equal(refused.figures.failed, 1);
  });

  test('a table that cannot be written costs the part: its lifecycles are counted, nothing half written stays', async () => {
    const directory = join(dir, 'refusing');
    const lines: string[] = [];
    const all = lifecyclesOf(synthesize(400, 5)).slice(0, 30);
    const batches = synthesize(1, 5);
    const session = { ...syntheticSession(), clocks: [{ time: 0, realtimeNs: '1700000000000000000' }] };
    const lake = new Lake(
      session,
      { directory, tables: LAKE_TABLES, size: 2 ** 20 },
      () => ({ lifecycles: 1 }) as unknown as Losses,
      (line) => lines.push(line),
    );
    const tick = async (from: number, to: number): Promise<void> => {
      for (const lifecycle of all.slice(from, to)) lake.lifecycle({ ...lifecycle, last: 0 });
      lake.batch({ ...(batches[0] as EventBatch), length: 1, kind: new Uint8Array([1]), time: new Float64Array([0]) });
      await lake.settled();
    };
    // The last of three tables.
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'waits'), '');
    await tick(0, 10);
    assert.deepEqual([lake.figures.failed, lake.figures.dropped], [1, 10]);
    assert.deepEqual(await files(directory), ['waits']);
    // Its folder goes while it is written.
    await rm(join(directory, 'waits'));
    await tick(10, 25);
    assert.equal((await files(directory)).length, LAKE_TABLES.length);
    await rm(join(directory, 'attempts'), { recursive: true });
    await lake.close();
    assert.deepEqual([lake.figures.failed, lake.figures.dropped, lake.figures.parts], [2, 25, 1]);
    const left = await files(directory);
    assert.deepEqual(
      left.filter((name) => !name.startsWith('lifecycles/')),
      [],
    );
    assert.equal(lines.length, 2, lines.join('\n'));
  });

  test('no link is followed when the oldest files go; what a killed daemon left half written goes too', async () => {
    const directory = join(dir, 'links');
    const elsewhere = join(dir, 'elsewhere');
    const folder = join(directory, 'lifecycles', 'date=2023-11-14');
    await mkdir(elsewhere);
    await mkdir(folder, { recursive: true });
    await writeFile(join(elsewhere, 'ours-000001.parquet'), 'x'.repeat(100));
    await symlink(elsewhere, join(folder, 'hour=01'));
    await symlink(join(elsewhere, 'ours-000001.parquet'), join(folder, 'ours-000002.parquet'));
    await writeFile(join(folder, 'old-000003.parquet'), 'x'.repeat(100));
    const [left, new_] = ['.vmalocktop-0123456789abcdef.partial', '.vmalocktop-fedcba9876543210.partial'] as const;
    for (const name of [left, new_]) await writeFile(join(folder, name), 'x');
    // An hour that was shipped, and the day it was the last of.
    await mkdir(join(directory, 'lifecycles/date=2023-11-13/hour=02'), { recursive: true });
    for (const name of [`date=2023-11-14/${left}`, 'date=2023-11-13/hour=02'])
      await utimes(join(directory, 'lifecycles', name), 1, 1);
    await utimes(join(directory, 'lifecycles/date=2023-11-13'), 1, 1);
    const lake = new Lake(
      { ...syntheticSession(), clocks: [{ time: 0, realtimeNs: '1700000000000000000' }] },
      { directory, tables: ['lifecycles'], size: 1 },
      () => ({ lifecycles: 1 }) as unknown as Losses,
      () => {},
    );
    const batches = synthesize(400, 5);
    lake.lifecycle(lifecyclesOf(batches)[0] as Lifecycle);
    lake.batch(batches[0] as EventBatch);
    await lake.close();
    assert.deepEqual(await readdir(elsewhere), ['ours-000001.parquet']);
    // Its own file is gone as well; the folder it was in is young.
    assert.deepEqual((await readdir(folder)).sort(), [new_, 'hour=01', 'hour=22', 'ours-000002.parquet'].sort());
    assert.deepEqual(await readdir(join(directory, 'lifecycles', 'date=2023-11-13')), []);
  });
});
