// SPDX-License-Identifier: MIT
/**
 * All of a small machine's memory is short: a hog of 1.2 times as much, swap on a disk. The tool goes on, loses nothing, and
 * runs from memory. How late its lines are is said and not asserted: the guest's clock goes on while the host does something else.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernels, matrixOnly, runInGuest } from './guest.js';
import { assertSums, type Stat } from './session.js';

const skip = await matrixOnly();
const SECONDS = 60;
const MEMORY = '640M';

interface Run {
  readonly run: 'plain' | 'unit';
  readonly hog: { readonly pages: number; readonly rounds: number; readonly majorFaults: number };
  readonly swapped: number;
  readonly majorFaults: number;
  readonly alone: readonly number[];
  readonly apart: readonly number[];
  readonly latest: { readonly ms: number; readonly ran: number; readonly waited: number };
  readonly oom: number;
  readonly code: number;
  readonly words: string;
  readonly stat: Stat;
}

for (const kernel of kernels) {
  test(`${kernel}: with ${MEMORY} of memory and a hog of 1.2 times as much`, { skip }, async (t) => {
    const result = await runInGuest({
      kernel,
      mem: MEMORY,
      swap: 'disk',
      disks: ['1G'],
      argv: ['test/vm/guest/pressure', String(SECONDS)],
      timeoutS: 1800,
    });
    assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
    const runs = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Run);
    assert.deepEqual(
      runs.map(({ run }) => run),
      ['plain', 'unit'],
    );
    for (const { run, hog, swapped, majorFaults, alone, apart, latest, oom, code, words, stat } of runs) {
      t.diagnostic(
        `${run}: ${swapped} pages swapped in, ${hog.majorFaults} major faults of the hog, ${majorFaults} of the tool; ` +
          `lines ${latest.ms} ms apart at most (it ran for ${latest.ran}, and had no CPU for ${latest.waited}), ` +
          `before ${Math.max(...alone)}; ${apart.length} in ${SECONDS} s`,
      );
      await t.test(`${run}: nothing is lost, and it is not killed`, () => {
        assert.equal(code, 130, words);
        assert.equal(oom, 0, 'processes killed');
        assertSums(stat, run);
        assert.equal(stat.events.dropped, 0, 'dropped');
        assert.ok(
          hog.rounds > 0.5 && swapped > 1000,
          `the hog got round ${hog.rounds} times, ${swapped} pages came back`,
        );
      });
      if (run === 'unit')
        await t.test('unit: no page of its own has to be read again', () => assert.equal(majorFaults, 0));
    }
  });
}
