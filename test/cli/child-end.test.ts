// SPDX-License-Identifier: MIT
/** vmalocktop waits for a command after `--` no longer than it takes to end it, whatever the command does with signals. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChildEnd } from '../../cli/common/child-end.js';
import { describeResult } from '../../cli/common/open.js';
import { followRun } from '../../cli/common/session.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { LiveSource } from '../../src/live/options.js';
import { syntheticSession } from '../core/session.js';
import { patience } from '../pace.js';

/** A live session in which nothing happens until it is closed. */
function quiet(): LiveSource {
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  return {
    session: syntheticSession(),
    async *batches(): AsyncGenerator<EventBatch> {
      // A promise alone keeps no process alive.
      const alive = setInterval(() => {}, 1000);
      await closed;
      clearInterval(alive);
    },
    close: async () => close(),
    spawnWindow: (start) => start(),
    limit() {},
    dropPrivileges() {},
    primed: async () => {},
    lowerScope: () => null,
    raiseScope: () => null,
  };
}

const COMMANDS: readonly (readonly [what: string, script: string, signal: string])[] = [
  ['ends when it is asked', 'exec sleep 100', 'SIGTERM'],
  ['is stopped', 'kill -STOP $$; exec sleep 100', 'SIGTERM'],
  ['does not listen to SIGTERM', "trap '' TERM; while :; do sleep 1; done", 'SIGKILL'],
  ['is stopped and does not listen', "trap '' TERM; kill -STOP $$; while :; do sleep 1; done", 'SIGKILL'],
];

for (const [what, script, signal] of COMMANDS) {
  test(`a command that ${what} ends with the time`, async () => {
    const live = quiet();
    const run = { source: live, live, argv: ['sh', '-c', script], duration: 0.5 };
    const end = await followRun(run, { push: () => {} }, '');
    end.dispose();
    assert.equal(end.failure, null);
    assert.equal(end.command?.signal, signal);
  });
}

test('a session that ends by itself does not wait for its command', async () => {
  const live = quiet();
  const run = { source: live, live, argv: ['sleep', '100'], duration: undefined };
  setTimeout(() => void live.close(), 300);
  const end = await followRun(run, { push: () => {} }, '');
  end.dispose();
  assert.equal(end.command?.signal, 'SIGTERM');
});

test('one that not even SIGKILL ends is left, and it is said', async () => {
  // A zombie takes every signal and does nothing about any, as a task in D state.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 100'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
  try {
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
    for (let waited = 0; waited < patience(2000) && !/\) Z /.test(stat()); waited += 10) await sleep(10);
    assert.match(stat(), /\) Z /);
    const child = { pid, exitCode: null, signalCode: null, once: () => child } as unknown as ChildProcess;
    const why = await new Promise<string>((resolve) => new ChildEnd(child, resolve, 50).begin());
    assert.match(why, /SIGKILL/);
    assert.equal(describeResult({ argv: ['x'], exitCode: null, signal: null, left: why }), `left running: ${why}`);
  } finally {
    parent.kill('SIGKILL');
  }
});
