// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreignFunction } from '../src/index.js';

const LIBC = 'libc.so.6';

test('a function of another library writes to the memory it is given', () => {
  const fill = foreignFunction(LIBC, 'uintptr_t memset(void *to, int value, size_t size)');
  assert.ok(fill !== null);
  const memory = new Uint8Array(64);
  fill(memory, 7, 32);
  assert.deepEqual([memory[0], memory[31], memory[32]], [7, 7, 0]);
});

test('the largest size_t is a bigint', () => {
  const convert = foreignFunction(LIBC, 'size_t strtoull(const void *text, void *end, int base)');
  assert.ok(convert !== null);
  const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(`${words}\0`));
  assert.equal(convert(text('18446744073709551494'), 0n, 10), 18446744073709551494n);
  assert.equal(convert(text('4096'), 0n, 10), 4096);
});

test('null without the library or the function', () => {
  assert.equal(foreignFunction('libnone.so.9', 'int none(int n)'), null);
  assert.equal(foreignFunction(LIBC, 'int no_such_function(int n)'), null);
});
