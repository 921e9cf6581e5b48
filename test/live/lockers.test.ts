// SPDX-License-Identifier: MIT
/** `LockersReader` reads mapped memory at fixed offsets: they are those of the compiled object. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Btf, type BtfMember } from 'ebpf-ts';
import { OBJECT } from '../../src/live/kernel.js';
import { LOCK_HOLD, LOCKER } from '../../src/live/lockers.js';

for (const [name, layout] of Object.entries({ locker: LOCKER, lock_hold: LOCK_HOLD })) {
  test(`struct ${name} has its fields where they are read`, () => {
    const btf = Btf.fromElf(readFileSync(OBJECT));
    const struct = btf.struct(name);
    assert.ok(struct);
    assert.equal(struct.size, 4 * layout.words);
    for (const [field, word] of Object.entries(layout.fields)) {
      const member: BtfMember | undefined = struct.members.find((one) => one.name === field);
      assert.equal(member?.offset, 4 * word, field);
    }
  });
}
