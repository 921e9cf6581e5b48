// SPDX-License-Identifier: MIT
/**
 * Faults of our own: the tool is killed, stopped, its terminal, reader or target goes away, clocks, CPUs, swap, cgroups and
 * thread ids change under it, two of it run. Nothing is lost but what is counted, and nothing is left in the kernel.
 */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { byLabel, parseMetrics } from '../metrics/scrape.js';
import { kernels, matrixOnly, runInGuest } from './guest.js';
import { assertSums, type Stat } from './session.js';

const skip = await matrixOnly();

interface Case {
  readonly case: string;
  readonly code: number;
  readonly left: readonly [number, number];
  readonly stat: (Stat & { readonly rows?: { readonly perKind: Readonly<Record<string, number>> } }) | null;
  readonly words: string;
}

interface Suspended {
  readonly code: number;
  readonly left: readonly [number, number];
  /** How much more CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC than before, ns. */
  readonly apart: number;
  readonly suspends: number;
  readonly stat: Stat | null;
  readonly info: { readonly rows: { readonly perKind: Readonly<Record<string, number>> } } | null;
  readonly words: string;
}

/** What a session followed is what it counted, but for runs of programs the kernel skipped and records the ring lost. */
function assertFollowed(name: string, { counts, retry, abort, events }: Stat): void {
  const slack = events.missed + events.dropped;
  for (const [what, counted, followed] of [
    ['RETRY', counts.vmaLock.retry, retry.total],
    ['ABORT', counts.vmaLock.abort, abort.total],
  ] as const)
    assert.ok(
      Math.abs(counted - followed) <= slack,
      `${name}: ${what} ${counted} counted, ${followed} followed, ${slack}`,
    );
}

for (const kernel of kernels) {
  test(`${kernel}: faults of our own lose nothing but what is counted, and leave nothing`, { skip }, async (t) => {
    const result = await runInGuest({
      kernel,
      swap: 'disk',
      disks: ['512M'],
      argv: ['test/vm/guest/own-faults'],
      timeoutS: 3000,
    });
    assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
    const cases = new Map(
      result.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Case)
        .map((row) => [row.case, row]),
    );
    const of = (name: string): Case => {
      const row = cases.get(name);
      assert.ok(row, name);
      return row;
    };
    const whole = (name: string): Stat => {
      const { stat, words, code } = of(name);
      assert.ok(stat, `${name}: exit ${code}, no summary; ${words}`);
      assertSums(stat, name);
      const { emitted, decoded, dropped, missed } = stat.events;
      t.diagnostic(`${name}: emitted ${emitted} = decoded ${decoded} + dropped ${dropped}, missed ${missed}; ${words}`);
      return stat;
    };

    await t.test('no program and no traced function is left by any of them', () => {
      for (const { case: name, left } of cases.values()) assert.deepEqual(left, [0, 0], name);
    });
    await t.test('killed: what was written opens, and says that it is cut off', () => {
      assert.equal(of('killed').code, 128 + 9);
      const { stat } = of('killed');
      assert.equal(stat?.ended, false);
      assert.ok((stat?.lifecycles.total ?? 0) > 0);
    });
    await t.test('killed while it starts, loads, attaches or observes', () => {
      for (const n of [1, 2, 3, 4]) {
        const { code, words } = of(`early${n}`);
        assert.equal(code, 128 + 9, words);
        t.diagnostic(words.trim());
      }
      for (const n of [3, 4]) assert.match(of(`early${n}`).words, /with [1-9]\d* programs/);
    });
    await t.test('stopped while it starts, and for longer than its ring lasts: what it did not see is counted', () => {
      assert.match(of('stopped').words, /(?:stopped with \d+ programs\n){2}stopped with [1-9]\d* programs/);
      assert.equal(of('stopped').code, 128 + 15, of('stopped').words);
      const stat = whole('stopped');
      assert.equal(stat.ended, true);
      assert.ok(stat.events.dropped > 0, 'its ring was full');
      assert.ok(stat.retry.total > 20, `${stat.retry.total} retries`);
      assertFollowed('stopped', stat);
    });
    await t.test('a full disk ends it with the reason, and what was written opens', () => {
      assert.equal(of('full').code, 2, of('full').words);
      assert.match(of('full').words, /no space left on the device\n→ free some space/);
      const { stat } = of('full');
      assert.equal(stat?.ended, false);
      assert.ok((stat?.lifecycles.total ?? 0) > 0);
    });
    await t.test('stopped, its clock set, a CPU, the swap device and a cgroup gone, thread ids used again', () => {
      const { words, code } = of('through');
      assert.match(words, /done: stopped,clock,cpu,(frozen,)?swapoff,cgroup,tids,/);
      assert.equal(code, 128 + 15, words);
      const stat = whole('through');
      assert.equal(stat.ended, true);
      assert.ok(stat.retry.total > 50, `${stat.retry.total} retries`);
      assertFollowed('through', stat);
      assert.ok((of('clocks').stat?.rows?.perKind.Clock ?? 0) >= 2, 'a pair of clocks for each time it was set');
    });
    await t.test('a daemon beside it goes on, counts the same way, and ends', () => {
      assert.equal(of('daemon').code, 0);
      const events = byLabel(parseMetrics(of('daemon').words), 'vmalocktop_events_total');
      t.diagnostic(`daemon: ${JSON.stringify(events)}`);
      assert.ok((events.decoded ?? 0) > 1000);
      assert.equal(events.emitted, (events.decoded ?? 0) + (events.dropped ?? 0));
    });
    await t.test('two at once see what each sees alone; who reads a third one goes away', () => {
      for (const name of ['first', 'second']) {
        assert.equal(of(name).code, 0, of(name).words);
        const stat = whole(name);
        assert.ok(stat.retry.total > 20, `${name}: ${stat.retry.total} retries`);
        assertFollowed(name, stat);
      }
      assert.ok([0, 128 + 13].includes(of('closed').code), `${of('closed').code}: ${of('closed').words}`);
      assert.ok(of('closed').stat, 'its first line was whole');
    });
    await t.test('without its terminal the dashboard ends', () => void assert.equal(of('terminal').code, 0));
    await t.test('without its target it keeps what it saw', () => {
      assert.ok([0, 128 + 15].includes(of('target').code), of('target').words);
      const stat = whole('target');
      assert.ok(stat.retry.total > 0);
      assertFollowed('target', stat);
    });
    await t.test('the next start is clean', () => {
      assert.equal(of('next').code, 0, of('next').words);
      whole('next');
    });
  });

  test(`${kernel}: suspended, a session goes on after it, and knows how late it is`, { skip }, async (t) => {
    const bundle = join(dirname(process.env.VMALOCKTOP_MAIN ?? 'dist/bundled/dist/cli/main.js'), '../..');
    const { code, stdout, stderr } = await runInGuest({
      kernel,
      swap: 'zram',
      mem: '3G',
      argv: ['test/vm/guest/own-faults-suspend', bundle],
      timeoutS: 3000,
    });
    assert.equal(code, 0, `${stderr}\n${stdout.slice(-2000)}`);
    const seen = JSON.parse(stdout) as Suspended;
    assert.equal(seen.suspends, 1);
    // The kernel's test lasts five seconds (suspend_test of kernel/power/suspend.c).
    assert.ok(seen.apart > 2e9, `${seen.apart} ns apart`);
    assert.equal(seen.code, 128 + 15, seen.words);
    assert.deepEqual(seen.left, [0, 0]);
    const { stat } = seen;
    assert.ok(stat, seen.words);
    assertSums(stat, 'suspended');
    const { emitted, decoded, dropped, missed } = stat.events;
    t.diagnostic(
      `emitted ${emitted} = decoded ${decoded} + dropped ${dropped}, missed ${missed}; ${seen.apart} ns apart`,
    );
    assert.equal(stat.ended, true);
    assert.ok(stat.counts.faults > 1000);
    assertFollowed('suspended', stat);
    assert.ok((seen.info?.rows.perKind.Clock ?? 0) >= 2, 'a pair of clocks more, since they are apart');
  });
}
