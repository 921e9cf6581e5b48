// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scope } from '../../src/core/events/session.js';
import { pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { parseConfig } from '../../src/daemon/read-config.js';
import { type Usage, Watchdog } from '../../src/daemon/watchdog.js';
import { makeDaemon, sessionSource } from './support.js';

const BUDGET = { cpuPercent: 10, memory: 100 * 2 ** 20, drops: true, window: 10 };
const at = (seconds: number, usage: Partial<Usage> = {}): Usage => ({
  time: seconds * 1e9,
  dropped: 0,
  cpuNs: 0,
  rssBytes: 0,
  ...usage,
});

/** What is said after a window with this usage. */
function verdict(usage: Partial<Usage>, budget: Partial<typeof BUDGET> = {}): string | null | undefined {
  const watchdog = new Watchdog({ ...BUDGET, ...budget });
  assert.equal(watchdog.check(at(0)), undefined);
  return watchdog.check(at(10, usage));
}

test('within budget nothing is said', () => {
  assert.equal(verdict({ cpuNs: 1e9, rssBytes: 100 * 2 ** 20 }), null);
});

test('drops, CPU time and memory are over budget, each in its words', () => {
  assert.equal(verdict({ dropped: 5 }), 'the ring dropped 5 records in 10 s');
  assert.equal(verdict({ cpuNs: 1.5e9 }), '15.0 % of a CPU over 10 s, budget 10 %');
  assert.equal(verdict({ rssBytes: 150 * 2 ** 20 }), '150 MiB resident, budget 100 MiB');
});

test('0 and false are no limit', () => {
  const free = { cpuPercent: 0, memory: 0, drops: false };
  assert.equal(verdict({ dropped: 5, cpuNs: 9e9, rssBytes: 2 ** 40 }, free), null);
});

test('a window is judged by what happened in it, not by the sum', () => {
  const watchdog = new Watchdog(BUDGET);
  watchdog.check(at(0));
  assert.match(String(watchdog.check(at(10, { dropped: 5 }))), /5 records/);
  assert.equal(watchdog.check(at(15, { dropped: 5 })), undefined);
  assert.equal(watchdog.check(at(20, { dropped: 5 })), null);
});

test('over budget the scope goes down step by step; at the last one it says so, and the health is bad', async () => {
  const scopes: Scope[] = ['retry', 'swap'];
  const source = sessionSource(8, { lowerScope: () => scopes.shift() ?? null });
  // The session says 1 MB is resident.
  const { daemon, lines } = await makeDaemon(
    source,
    '[budget]\nmemory = "512K"\nwindow = "1s"\n[alerts]\nenabled = false',
  );
  let bad = false;
  const watching = setInterval(() => {
    bad ||= daemon.health().notes.some((note) => note.startsWith('over budget'));
  }, 1);
  await daemon.run();
  clearInterval(watching);
  assert.deepEqual(
    lines.map((line) => line.replace(/:.*/, '')),
    ['scope lowered to retry', 'scope lowered to swap', 'over budget, and no narrower scope than swap'],
  );
  assert.ok(bad);
  const scope = daemon.families().find(({ name }) => name === 'vmalocktop_scope');
  assert.ok(scope?.type === 'gauge');
  assert.deepEqual(
    scope.samples.map(({ labels, value }) => [labels.scope, value]),
    [
      ['swap', 1],
      ['retry', 0],
      ['all', 0],
    ],
  );
});

test('it goes down as well where tasks queue for a lock at every sample, whose rows come behind the counters', async () => {
  const inner = sessionSource(4);
  const { daemon, lines } = await makeDaemon(
    {
      ...inner,
      async *batches() {
        for await (const batch of inner.batches()) {
          const last = batch.length - 1;
          if (batch.kind[last] === UserKind.Counter) pushRow(batch, UserKind.Lock, batch.time[last] as number, 0, 0, 0);
          yield batch;
        }
      },
      lowerScope: () => 'retry',
    },
    '[budget]\nmemory = "512K"\nwindow = "1s"\n[alerts]\nenabled = false',
  );
  await daemon.run();
  assert.match(lines[0] ?? '', /^scope lowered to retry/);
});

test('what serving metrics took is not over budget', () => {
  assert.equal(verdict({ cpuNs: 5e9, servingNs: 4.5e9 }), null);
  assert.match(String(verdict({ cpuNs: 5e9, servingNs: 1e9 })), /40\.0 % of a CPU/);
});

test('within budget for long enough the scope rises again', async () => {
  let dropping = true;
  const moves: string[] = [];
  const scopes: Scope[] = ['swap', 'retry', 'all'];
  let at = scopes.indexOf('all');
  const move = (step: number): Scope | null => {
    const next = scopes[at + step];
    if (next === undefined) return null;
    at += step;
    moves.push(next);
    return next;
  };
  const inner = sessionSource(60);
  const { daemon, lines } = await makeDaemon(
    {
      ...inner,
      session: { ...inner.session, scope: 'all' },
      async *batches() {
        for await (const batch of inner.batches()) {
          // A session of the time before 10 s is too much, and what comes after is not.
          if (dropping && (batch.time[batch.length - 1] ?? 0) > 10e9) {
            dropping = false;
            daemon.reload(await parseConfig('[budget]\nmemory = "1G"\nwindow = "1s"\n[alerts]\nenabled = false', 'x'));
          }
          yield batch;
        }
      },
      lowerScope: () => move(-1),
      raiseScope: () => move(1),
    },
    '[budget]\nmemory = "512K"\nwindow = "1s"\n[alerts]\nenabled = false',
  );
  await daemon.run();
  assert.deepEqual(moves, ['retry', 'swap', 'retry', 'all']);
  assert.ok(lines.some((line) => line.startsWith('scope raised to all')));
  assert.ok(!daemon.health().notes.some((note) => note.startsWith('scope lowered')));
});
