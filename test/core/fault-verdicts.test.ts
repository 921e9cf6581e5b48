// SPDX-License-Identifier: MIT
/** Each verdict on a RETRY, by example. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VlFound, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import {
  AVOIDABLE,
  done,
  FOUND,
  flor,
  KNOWN,
  lifecycle,
  lock,
  RETRY_MAJOR,
  retries,
  SAME,
  type Step,
  swap,
  vmaOf,
} from './by-hand.js';
import { SWAP_DISK } from './session.js';

const K = VlKind;

describe('the verdict on a RETRY', () => {
  const cases: readonly [string, string, number, number, number][] = [
    ['avoidable', '', AVOIDABLE, 3, 3],
    ['write-locked', '', SAME | KNOWN, 1, 1],
    ['replaced', '', FOUND | KNOWN, 1, 1],
    ['replaced', '', (SAME | KNOWN) & ~VlFound.FOUND_COVERS, 1, 1],
    ['gone', '', 0, 0, -1],
    ['by design', '', AVOIDABLE | VlFound.FOUND_NO_MAP_PAGES, 0, 0],
    ['unknown', 'lock sequence not read', SAME, 5, -1],
    ['unknown', 'not recorded', VlFound.FOUND, 0, -1],
  ];
  for (const [kind, why, found, writers, mmWriters] of cases) {
    it(`is ${kind} ${why}`, () => {
      const inside = kind === 'by design' ? [] : swap(flor());
      const life = lifecycle([...inside, retries(), ...lock(found, writers, [K.MM_WRITER, 42, 10, VlStepFlag.EXACT])]);
      assert.deepEqual(vmaOf(life).verdict, { kind, why, mmWriters, writer: { tid: 42, syscall: 10, exact: true } });
    });
  }

  it('is unknown where the cause is, and may be one by design', () => {
    const verdict = (steps: readonly Step[]): string =>
      vmaOf(lifecycle([...steps, ...lock(AVOIDABLE), done])).verdict?.kind ?? '';
    assert.deepEqual(vmaOf(lifecycle([retries(), ...lock(0), done])).verdict?.why, 'cause unknown');
    assert.equal(verdict([...swap([]), retries()]), 'unknown');
    // Past get_swap_device, a read, or __folio_lock_or_retry the kernel handles it.
    assert.equal(verdict([...swap([[K.SWAP_DEVICE, 0, SWAP_DISK]]), retries()]), 'avoidable');
    assert.equal(verdict([retries(RETRY_MAJOR)]), 'avoidable');
  });

  it('names no writer where there was none, and no system call of one that is in none', () => {
    assert.equal(vmaOf(lifecycle([retries(), ...lock(AVOIDABLE), done])).verdict?.writer, null);
    const life = lifecycle([retries(), ...lock(SAME | KNOWN, 1, [K.MM_WRITER, 42, 0xffffffff]), done]);
    assert.deepEqual(vmaOf(life).verdict?.writer, { tid: 42, syscall: -1, exact: false });
  });

  it('is unknown, and says why, without the fallback', () => {
    const why = (steps: readonly Step[]): string | undefined => vmaOf(lifecycle(steps)).verdict?.why;
    assert.equal(why([retries(), [K.SIGNAL, 9]]), 'signal: no fallback');
    assert.equal(why([retries(), [K.MM_LOCK_ENTER, 1], [K.TASK_EXIT]]), 'fallback not seen');
    assert.equal(why([retries(), [K.MM_LOCK_ENTER, 1], done]), 'fallback not seen');
    assert.equal(vmaOf(lifecycle([retries(), [K.MM_LOCK_ENTER, 1]])).verdict, null);
  });
});
