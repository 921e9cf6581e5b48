// SPDX-License-Identifier: MIT
/**
 * The daemon on a real kernel, started with the capabilities of the service unit and no others: a swap storm sets off a
 * rule once, all its actions arrive, clients see what it saw, and neither its end nor SIGKILL leaves anything behind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, kernels, runInGuest } from './guest.js';

const skip = (await guestImpossible()) ?? false;
const SECONDS = '8';

interface Seen {
  readonly code: number;
  readonly again: number;
  readonly privileged: number;
  readonly ids: string;
  readonly refused: string;
  readonly metrics: string;
  readonly health: { readonly ok: boolean; readonly notes: readonly string[] } | null;
  readonly left: number;
  /** Metrics of the daemon whose scope was lowered, before and after some faults. */
  readonly before: string;
  readonly after: string;
  readonly words: string;
  readonly client: string;
  readonly exec: string;
  readonly webhook: string;
  readonly flights: readonly string[];
}

const kindsOf = (lines: string): string[] =>
  lines
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { kind: string }).kind);

for (const kernel of kernels.slice(-1)) {
  test(`${kernel}: the daemon through a swap storm`, { skip }, async (t) => {
    const result = await runInGuest({
      kernel,
      swap: 'disk',
      disks: ['512M'],
      mem: '3G',
      argv: ['test/vm/guest/daemon', SECONDS],
      timeoutS: 900,
    });
    assert.equal(result.code, 0, result.stderr);
    const seen = JSON.parse(result.stdout) as Seen;
    const value = (series: string, metrics = seen.metrics): number =>
      Number(
        metrics
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')
          .at(-1),
      );
    t.diagnostic(seen.words);

    await t.test('it ran with six capabilities to begin with, and with none from then on', () => {
      assert.equal(seen.privileged, 0);
      assert.match(seen.ids, /Uid:\s+65534\s+65534\s+65534\s+65534\s+NoNewPrivs:\s+1/);
      assert.equal(seen.refused, 'EACCES');
    });

    await t.test('the alert fired once and cleared once; program, webhook and flight recorder had it', () => {
      assert.deepEqual(kindsOf(seen.exec), ['firing', 'resolved']);
      assert.deepEqual(kindsOf(seen.webhook), ['firing', 'resolved']);
      assert.equal(seen.flights.length, 1);
    });

    await t.test('a client saw what the daemon counted, whoever did not read beside it', () => {
      const { truncated, dropped, processes } = JSON.parse(seen.client) as {
        truncated: string | null;
        dropped: number;
        processes: readonly { tgid: number; comm: string; retries: number }[];
      };
      assert.equal(truncated, null);
      assert.equal(dropped, 0);
      const storm = processes.find(({ comm }) => comm === 'swapload');
      assert.ok(storm && storm.retries > 100, `${storm?.retries} retries`);
      const series = new RegExp(`^vmalocktop_process_retries_total\\{pid="${storm.tgid}",.*\\} (\\d+)$`, 'm');
      assert.equal(Number(series.exec(seen.metrics)?.[1]), storm.retries);
      assert.equal(seen.health?.ok, true);
    });

    await t.test('over budget it lowers the scope by itself, and what it is sent goes down with it', () => {
      assert.match(seen.words, /scope lowered to retry: .* % of a CPU[\s\S]*scope lowered to swap: /);
      assert.equal(value('vmalocktop_scope{scope="swap"}', seen.after), 1);
      const grown = (series: string): number => value(series, seen.after) - value(series, seen.before);
      const faults = grown('vmalocktop_faults_total{outcome="success"}');
      const sent = grown('vmalocktop_events_total{state="emitted"}');
      t.diagnostic(`${faults} faults, ${sent} records after the scope was lowered`);
      assert.ok(faults > 1000, `${faults} faults`);
      assert.ok(sent < faults / 10, `${sent} records of ${faults} faults`);
    });

    await t.test('it ends in order; killed, it leaves no program, and the next start is clean', () => {
      assert.equal(seen.code, 0);
      assert.equal(seen.left, 0);
      assert.equal(seen.again, 0);
    });
  });
}
