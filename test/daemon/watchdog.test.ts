// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Scope } from '../../src/core/events/session.js';
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
