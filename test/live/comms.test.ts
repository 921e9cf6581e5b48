// SPDX-License-Identifier: MIT
/** Task names of a stream as a list of strings: one id a name, and no more of them than the bound. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommTable, OTHER_COMM } from '../../src/live/names/comms.js';

describe('CommTable', () => {
  const id = (table: CommTable, bytes: Uint8Array): number => {
    const whole = Buffer.alloc(16);
    whole.set(bytes.subarray(0, 16));
    return table.id(whole.readUInt32LE(0), whole.readUInt32LE(4), whole.readUInt32LE(8), whole.readUInt32LE(12));
  };

  it('gives a name one id, whatever follows its first zero byte', () => {
    const table = new CommTable();
    assert.equal(id(table, Buffer.from('')), 0);
    assert.equal(id(table, Buffer.from('bash')), 1);
    assert.equal(id(table, Buffer.from('bash\0left over')), 1);
    assert.equal(id(table, Buffer.from('bash')), 1);
    assert.equal(id(table, Buffer.from('0123456789abcdef')), 2);
    assert.deepEqual(table.strings, ['', 'bash', '0123456789abcdef']);
  });

  it('keeps ids apart as it grows, and grows no further than its bound', () => {
    const table = new CommTable();
    const names = Array.from({ length: 70_000 }, (_, i) => Buffer.from(`ten-bytes-${i}`));
    const ids = names.map((name) => id(table, name));
    const own = ids.filter((n) => table.strings[n] !== OTHER_COMM);
    assert.equal(new Set(own).size, own.length);
    assert.ok(own.length >= 65_536);
    assert.ok(table.strings.length <= 65_538);
    for (const [i, name] of names.entries()) assert.equal(id(table, name), ids[i]);
    for (const [i, n] of own.entries()) assert.equal(table.strings[n], `ten-bytes-${i}`);
  });
});
