// SPDX-License-Identifier: MIT
/** doctor loads what sessions load: all of it on kernels we support, and what is refused is named with the verifier's words. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Diagnosis, ProgramsCheck } from '../../src/doctor/diagnosis.js';
import { kernels, matrixOnly, runInGuest } from './guest.js';

const skip = await matrixOnly();

describe('doctor', () => {
  for (const kernel of kernels) {
    it(`tries every program on ${kernel}`, { skip }, async () => {
      const script = `node "$VMALOCKTOP_MAIN" doctor --json; echo; echo @; node "$VMALOCKTOP_MAIN" doctor --verbose | tail -n 3; echo @
        node dist/test/vm/refused-programs.js fexit/hugetlb_fault fexit/handle_mm_fault`;
      const { code, stdout, stderr } = await runInGuest({ kernel, argv: ['bash', '-c', script], timeoutS: 1800 });
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      const [json = '', words = '', refused = ''] = stdout.split('\n@\n');
      const { canObserve, programs, hooks } = JSON.parse(json) as Diagnosis;
      assert.equal(canObserve, true, json);
      assert.ok((programs?.loaded ?? 0) > 40, json);
      assert.deepEqual(programs?.refused, []);
      assert.ok(hooks.filter(({ required }) => required).every(({ state }) => state === 'yes'));
      assert.match(words, /^live observation works here/m);

      const found = JSON.parse(refused) as ProgramsCheck;
      assert.equal(found.loaded + found.refused.length, programs?.loaded);
      const hook = (name: string): ProgramsCheck['refused'][number] | undefined =>
        found.refused.find((program) => program.hook === name);
      assert.equal(hook('hugetlb_fault')?.required, false);
      assert.equal(hook('handle_mm_fault')?.required, true);
      for (const { program, why, lastLines, log } of found.refused) {
        assert.match(program, /^fexit_(hugetlb_fault|handle_mm_fault(_standby)?)$/);
        assert.match(why, /R5/, program);
        assert.match(lastLines.join('\n'), /R5/, program); // in other words since 7.3
        assert.match(log, /BEGIN PROG LOAD LOG[\s\S]*R5[\s\S]*END PROG LOAD LOG/, program);
      }
    });
  }
});
