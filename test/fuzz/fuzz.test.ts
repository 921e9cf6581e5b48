// SPDX-License-Identifier: MIT
/** A short form of `make fuzz`, the same cases each time; and a check that a finding would be reported. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaseRandom } from './random.js';
import { fuzz, TARGETS } from './run.js';

const CASES = 200;

for (const target of TARGETS) {
  test(`${target.name}: ${CASES} cases`, async () => {
    const { findings, used, cases } = await fuzz(target, { seed: 1, cases: CASES });
    assert.deepEqual(findings, []);
    assert.equal(cases, CASES);
    // Not all of them end at the first check, nor is none refused.
    assert.ok(used > CASES / 50, `${used} used`);
  });
}

test('what is thrown is a finding, with what brings it back', async () => {
  const seen: number[] = [];
  const target = {
    name: 'broken',
    prepare: async () => ({
      used: () => 1,
      run: (random: CaseRandom) => {
        seen.push(random.below(1000));
        if (seen.length === 7) throw new TypeError('not expected');
      },
    }),
  };
  const { findings } = await fuzz(target, { seed: 5, cases: 10 });
  assert.equal(findings.length, 1);
  assert.match(findings[0] ?? '', /^broken --seed 5 --from 6 --cases 1: TypeError: not expected/);
  assert.equal(new CaseRandom(5, 6).below(1000), seen[6]);
  const stop = new AbortController();
  const stopped = { ...target, prepare: async () => ({ used: () => 1, run: () => stop.abort() }) };
  assert.equal((await fuzz(stopped, { seed: 5, cases: 10, stop: stop.signal })).cases, 1);
});
