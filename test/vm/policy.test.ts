// SPDX-License-Identifier: MIT
/**
 * Kernels that do otherwise with a fault that has to wait (test/vm/policy-kernels): what they do is said by its name, breaks
 * no rule, and is what the kernel's own counters say.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { VerdictReport } from '../../src/core/verdict/report.js';
import { MAIN } from '../cli/run.js';
import { matrixOnly, root, runInGuest } from './guest.js';
import { assertConserved, type Rule, type Stat } from './session.js';

const skip = await matrixOnly();
const WORKLOADS = ['swap', 'same', 'uffd', 'file-fork', 'zram', 'touch', 'fork', 'denied'];

interface Seen {
  readonly stat: Stat & {
    readonly retry: { readonly secondTries: Record<'done' | 'retry' | 'other', number> };
    readonly vmstat: Record<string, { counted: number; least: number; difference: number; why: string }> | null;
  };
  readonly rules: readonly Rule[];
  readonly verdict: VerdictReport;
}

async function isCached(kernel: string): Promise<boolean> {
  const asked = promisify(execFile)('bash', ['-c', '. "$0/lib.sh"; vm_resolve "$1"', join(root, 'test/vm'), kernel]);
  return asked.then(
    () => true,
    () => false,
  );
}

async function see(kernel: string): Promise<Seen> {
  const { code, stdout, stderr } = await runInGuest({
    kernel,
    swap: 'slow',
    append: 'brd.rd_nr=2 brd.rd_size=262144',
    timeoutS: 1200,
    argv: ['test/vm/guest/policy', 'record', '1', '1', ...WORKLOADS],
  });
  assert.equal(code, 0, stderr);
  const { recording } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { recording: string };
  const directory = await mkdtemp(join(tmpdir(), 'policy-'));
  try {
    const file = join(directory, 'recording');
    await writeFile(file, Buffer.from(recording, 'base64'));
    const tool = async (command: string): Promise<unknown> => {
      const argv = [MAIN, command, '--json', file];
      // `check` exits with 1 over a finding, and prints all the same.
      const { stdout: text } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 2 ** 26 }).catch(
        (error: unknown) => error as { stdout: string },
      );
      return JSON.parse(text);
    };
    return {
      stat: (await tool('stat')) as Seen['stat'],
      rules: ((await tool('check')) as { rules: Rule[] }).rules,
      verdict: (await tool('verdict')) as VerdictReport,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

for (const policy of ['today', 'retry', 'keep'] as const) {
  const kernel = `6.12-policy-${policy === 'today' ? policy : `${policy}-vma`}`;
  const lacks = (await isCached(kernel)) ? false : `no ${kernel} in the kernel cache: test/vm/policy-kernels/build`;
  test(`${kernel}: its policy by name, no rule violated, and the kernel's own counters`, {
    skip: skip === false ? lacks : skip,
  }, async (t) => {
    const { stat, rules, verdict } = await see(kernel);
    const { done, retry } = stat.retry.secondTries;
    const { count: kept } = verdict.observed.waitsKept;
    t.diagnostic(
      `retries ${JSON.stringify(stat.retry)}; ${kept} waits with the lock held; missed ${stat.events.missed}`,
    );
    t.diagnostic(`vmstat ${JSON.stringify(stat.vmstat)}`);
    assertConserved(stat);
    assert.deepEqual(
      rules.filter(({ result }) => result === 'violated'),
      [],
    );
    assert.equal(verdict.policy, policy);
    if (policy === 'retry') assert.ok(done > 0 && retry > 0, 'second tries that do, and that give up again');
    else assert.deepEqual(stat.retry.secondTries, { done: 0, retry: 0, other: 0 });
    if (policy === 'keep') assert.ok(kept > 100, `${kept} waits with the lock held`);
    else assert.ok(verdict.observed.waitsDropped > 100);
    assert.ok(stat.vmstat, 'it has vma_lock_* in /proc/vmstat');
    for (const [line, { difference, why }] of Object.entries(stat.vmstat)) {
      assert.ok(difference === 0 || Math.abs(difference) <= stat.events.missed, `${line}: ${difference}, ${why}`);
      if (stat.events.missed === 0) assert.equal(difference, 0, `${line}: ${why}`);
    }
  });
}
