// SPDX-License-Identifier: MIT
/**
 * Recordings of a swap storm on a real kernel: in parts, killed, in memory, on a full disk, into a pipe that closes, read
 * while they grow. What each holds is compared with what the live session counted, to the event. `make test` has the first
 * two; what ends a recorder is tested without a kernel as well.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { decode, eventsOf, slicesIn } from '../export/perfetto-trace.js';
import { matrixOnly, oneKernel, runInGuest } from './guest.js';
import { Files, longestPause, type Seen, type Stat, since } from './recorded-files.js';
import { assertConserved, assertSums } from './session.js';

const skip = await matrixOnly();
/** Of the storm that test/vm/guest/recordings makes. */
const STORM_THREADS = 2;

for (const kernel of oneKernel) {
  test(`${kernel}: recordings of a swap storm`, { skip }, async (t) => {
    const result = await runInGuest({
      kernel,
      swap: 'disk',
      disks: ['512M'],
      argv: ['test/vm/guest/recordings'],
      timeoutS: 1800,
    });
    assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
    const dir = await mkdtemp(join(tmpdir(), 'vmalocktop-recordings-'));
    t.after(() => rm(dir, { recursive: true }));
    const seen = JSON.parse(result.stdout) as Seen;
    const guest = new Files(dir, seen);
    for (const [name, base64] of Object.entries(seen.files))
      await writeFile(join(dir, name), Buffer.from(base64, 'base64'));
    const live = JSON.parse(guest.text('live.json')) as Stat;

    await t.test('all parts together give the summary of the live session; each opens by itself', async (t) => {
      assert.equal(seen.codes.rotated, '0', guest.text('rotated.words'));
      assertConserved(live);
      assert.ok(live.events.decoded > 1000, `${live.events.decoded} events`);
      assert.deepEqual(await guest.stat('rotated.vmlt'), live);
      const parts = guest.parts('rotated');
      assert.ok(parts.length >= 3, `${parts.length} parts`);
      let decoded = 0;
      for (const [i, name] of parts.entries()) {
        const part = await guest.stat(name);
        // By itself a part that is not the last has the counters of its last sample, and rows that came since.
        if (i === parts.length - 1) assertSums(part);
        decoded += part.events.decoded;
        const { losses, parts: numbers } = await guest.info(name);
        assert.equal(numbers?.first, i + 1);
        if (i < parts.length - 1) assert.match(losses.cutOff ?? '', /goes on in a further part/);
        else assert.equal(losses.cutOff, null);
      }
      // A fault that crosses from one part into the next is in none of them by itself.
      assert.ok(decoded <= live.events.decoded && decoded > 0.9 * live.events.decoded, `${decoded} in the parts`);
      t.diagnostic(
        `${parts.length} parts, ${live.events.decoded} events, ${live.lifecycles.total} lifecycles; ${decoded} events in the parts by themselves`,
      );
    });

    await t.test('followed while it grew it gave what the whole gives; looked into, what was there', async () => {
      assert.equal(seen.codes.followed, '0', guest.text('followed.words'));
      assert.equal(guest.text('followed.txt'), await guest.tool('replay', guest.path('rotated.vmlt')));
      const growing = await guest.stat('growing.vmlt');
      assert.equal(growing.ended, false);
      // A recorder that was fast had written all of it when it was looked into.
      t.diagnostic(`${growing.events.decoded} of ${live.events.decoded} events when it was looked into`);
      assert.ok(growing.events.decoded > 0 && growing.events.decoded <= live.events.decoded);
      assert.match((await guest.info('growing.vmlt')).losses.cutOff ?? '', /./);
    });

    await t.test(
      'begun in the middle of a storm, every retry has its cause but those that were under way',
      async (t) => {
        const { unknown = 0, ...known } = live.retry.byCause;
        t.diagnostic(`${unknown} of ${live.retry.total} retries without a cause, ${live.events.missed} runs missed`);
        assert.ok((known['folio locked: own read'] ?? 0) > 0);
        assert.ok(unknown <= STORM_THREADS + live.events.missed, JSON.stringify(live.retry.byCause));
      },
    );

    await t.test(
      'killed in the storm: the two newest parts open, say so, and lack about a second at most',
      async (t) => {
        assert.equal(seen.codes.killed, String(128 + 9));
        // Killed between a part's begin and the removal of the oldest: three.
        const parts = guest.parts('killed');
        assert.ok(parts.length === 2 || parts.length === 3, parts.join(' '));
        assert.ok(!parts.includes('killed.0001.vmlt'));
        const info = await guest.info('killed.vmlt');
        assert.ok(info.losses.cutOff);
        assert.equal(info.losses.damage, null);
        // The newest may not have its head yet, and is nothing then.
        assert.ok(info.parts && info.parts.count >= 2 && info.parts.count <= parts.length, JSON.stringify(info.parts));
        const stat = await guest.stat('killed.vmlt');
        assert.equal(stat.ended, false);
        assert.ok(stat.lifecycles.total > 100, `${stat.lifecycles.total} lifecycles`);
        const missing = since(info, seen.times.killed);
        // The pace: how long the recorders waited for the emulated processor.
        const pause = Math.max(
          await longestPause(guest.path('rotated.vmlt')),
          await longestPause(guest.path('killed.vmlt')),
        );
        t.diagnostic(
          `${(missing / 1e6).toFixed(0)} ms before SIGKILL are missing; the longest pause had ${pause / 1e6} ms`,
        );
        // Half a second to the flush and a quarter in the source, each as late as the recorder was elsewhere.
        assert.ok(missing < 1e9 + 3 * pause, `${missing} ns with a pause of ${pause} ns`);
      },
    );

    await t.test('the flight recorder wrote its last two seconds at the signal, and again at the end', async (t) => {
      assert.equal(seen.codes.flight, String(128 + 15), guest.text('flight.words'));
      for (const [name, why] of [
        ['dumped.vmlt', 'signal SIGUSR1'],
        ['flight.vmlt', 'the session ended'],
      ] as const) {
        const info = await guest.info(name);
        assert.equal(info.written, why);
        assert.equal(info.losses.cutOff, null);
        assert.equal(info.losses.unaccounted, 0);
        const stat = await guest.stat(name);
        assertSums(stat);
        t.diagnostic(`${name}: ${(info.time.durationNs / 1e9).toFixed(2)} s, ${stat.lifecycles.total} lifecycles`);
        assert.ok(stat.lifecycles.total > 0, `${name}: ${JSON.stringify(stat.events)}`);
        // Two seconds, and up to a batch more; a drain that waits for the processor makes a long batch.
        assert.ok(info.time.durationNs >= 1e9 && info.time.durationNs < 15e9, `${info.time.durationNs} ns`);
      }
      const began = async (name: string): Promise<bigint> => BigInt((await guest.info(name)).session.baseNs);
      assert.ok((await began('flight.vmlt')) > (await began('dumped.vmlt')), 'what is kept moves on');
      const late = since(await guest.info('dumped.vmlt'), seen.times.signalled);
      assert.ok(Math.abs(late) < 5e9, `it ends ${late} ns before the signal`);
      assert.ok((await guest.stat('flight.vmlt')).durationNs > 0);
    });

    await t.test(
      'a full disk and a closed pipe end the recording with the reason; what was written opens',
      async () => {
        assert.equal(seen.codes.full, '2');
        assert.match(guest.text('full.words'), /no space left on the device\n→ free some space/);
        assert.equal(seen.codes.piped, '0');
        assert.match(guest.text('piped.words'), /the reader closed the pipe/);
        for (const name of ['full.vmlt', 'piped.vmlt']) {
          const info = await guest.info(name);
          assert.match(info.losses.cutOff ?? '', /./, name);
          assert.ok(info.rows.events > 100, `${name}: ${info.rows.events} events`);
          assert.ok((await guest.stat(name)).lifecycles.total > 0, name);
        }
      },
    );

    await t.test('DuckDB counts in its Parquet tables what the live session counted', async () => {
      for (const table of ['lifecycles', 'attempts', 'waits', 'events'])
        await guest.tool('export', guest.path('rotated.vmlt'), '-f', 'parquet', '-t', table, '-o', guest.path(table));
      const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
      const tally = async (from: string, by: string, where = 'true'): Promise<Record<string, number>> => {
        const sql = `SELECT ${by}, count(*) FROM read_parquet('${guest.path(from)}') WHERE ${where} GROUP BY ${by}`;
        return Object.fromEntries((await (await duckdb.run(sql)).getRows()).map(([key, n]) => [key, Number(n)]));
      };
      const seenOf = (counts: Record<string, number>): Record<string, number> =>
        Object.fromEntries(Object.entries(counts).filter(([, n]) => n > 0));
      assert.deepEqual(await tally('lifecycles', 'how'), seenOf(live.lifecycles.byEnd));
      assert.deepEqual(
        await tally('attempts', 'cause', `lock = 'vma' AND outcome = 'retry'`),
        seenOf(live.retry.byCause),
      );
      const waits = Object.entries(live.waits).filter(([, of]) => (of?.count ?? 0) > 0);
      const counted = await tally('waits', 'kind', 'duration_ns IS NOT NULL');
      for (const kind of ['folio', 'mmapLock'])
        assert.equal(counted[kind], waits.find(([name]) => name === kind)?.[1]?.count, kind);
      const decoded = Object.entries(live.events.perKind).map(([kind, of]) => [kind, of.decoded] as const);
      assert.deepEqual(await tally('events', 'name', 'kind < 128'), seenOf(Object.fromEntries(decoded)));
      duckdb.closeSync();
    });

    await t.test('in its Perfetto trace every slice has its end, and every lifecycle its slice', async () => {
      await guest.tool('export', guest.path('rotated.vmlt'), '-f', 'perfetto', '-o', guest.path('trace'));
      const slices = slicesIn(eventsOf(decode(await readFile(guest.path('trace')))));
      const count = (name: string): number => slices.filter((slice) => slice.name.startsWith(name)).length;
      assert.equal(count('fault: '), live.lifecycles.total);
      assert.equal(count('VMA lock: retry'), live.retry.total);
      for (const { time, end } of slices) assert.ok(end >= time);
    });

    // The recorder that was killed may have left one: what it was to be the next part.
    const left = (await readdir(dir)).filter((name) => name.includes('partial') && !(name in seen.files));
    assert.deepEqual(left, []);
    assert.ok(Object.keys(seen.files).filter((name) => name.includes('partial')).length <= 1);
  });
}
