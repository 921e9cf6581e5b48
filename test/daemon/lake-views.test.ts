// SPDX-License-Identifier: MIT
/** The lake of a fleet, a thousand hosts of it, through the views that come along. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { longOnly } from '../long.js';
import { FLEET_KERNELS, makeFleet } from './fleet.js';

const VIEWS = fileURLToPath(new URL('../../../share/sql/views.sql', import.meta.url));
/** Each view opens every file: a thousand hosts take most of a minute. */
const HOSTS = longOnly === false ? 1000 : 100;

test(`${HOSTS} hosts: every view answers, and what it answers adds up`, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'vmalocktop-fleet-'));
  const duckdb = await (await DuckDBInstance.create()).connect();
  t.after(async () => {
    duckdb.closeSync();
    await rm(dir, { recursive: true });
  });
  const query = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await duckdb.runAndReadAll(sql)).getRowObjects();
  const lake = join(dir, 'lake');
  const followed = await makeFleet(lake, HOSTS);
  await duckdb.run(`SET VARIABLE lake = '${lake}'`);
  for (const statement of (await readFile(VIEWS, 'utf8')).split(';\n'))
    if (/CREATE/.test(statement)) await duckdb.run(statement);
  const kernels = await query('SELECT * FROM kernels ORDER BY kernel');
  assert.deepEqual(
    kernels.map(({ kernel }) => kernel),
    [...FLEET_KERNELS],
  );
  assert.equal(
    kernels.reduce((sum, row) => sum + Number(row.followed), 0),
    followed,
  );
  assert.equal(
    (await query("SELECT count(*) AS n FROM glob(getvariable('lake') || '/lifecycles/*/*/*.parquet')"))[0]?.n,
    BigInt(HOSTS),
  );
  const [hours] = await query('SELECT sum(followed) AS n, sum(retried) AS r FROM host_hours');
  assert.equal(Number(hours?.n), followed);
  const retried = kernels.reduce((sum, row) => sum + Number(row.retried), 0);
  assert.equal(Number(hours?.r), retried);
  assert.ok(retried > 0 && retried < followed);
  for (const view of ['causes', 'workloads', 'wait_kinds', 'releases'])
    assert.ok((await query(`SELECT * FROM ${view}`)).length > 0, view);
  const [apart] = await query('SELECT count(*) AS n FROM outliers WHERE times <= 3');
  assert.equal(Number(apart?.n), 0);
  const [waits] = await query('SELECT sum(waits) AS n FROM wait_kinds');
  assert.equal(Number(waits?.n), Number((await query('SELECT count(*) AS n FROM waits'))[0]?.n));
});
