// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asideFunction } from '../src/index.js';

const LIBC = 'libc.so.6';

test('a function of another library, in a thread of the pool', async () => {
  const fill = asideFunction(LIBC, 'uintptr_t memset(void *to, int value, size_t size)');
  assert.ok(fill !== null);
  const memory = new Uint8Array(64);
  await fill(memory, 7, 32);
  assert.deepEqual([memory[0], memory[31], memory[32]], [7, 7, 0]);
});

test('the largest size_t is a bigint', async () => {
  const convert = asideFunction(LIBC, 'size_t strtoull(const void *text, void *end, int base)');
  assert.ok(convert !== null);
  const text = (words: string): Uint8Array => new Uint8Array(Buffer.from(`${words}\0`));
  assert.equal(await convert(text('18446744073709551494'), 0n, 10), 18446744073709551494n);
  assert.equal(await convert(text('4096'), 0n, 10), 4096);
});

test('null without the library or the function; more calls than koffi has room for are refused', async () => {
  assert.equal(asideFunction('libnone.so.9', 'int none(int n)'), null);
  assert.equal(asideFunction(LIBC, 'int no_such_function(int n)'), null);
  const pause = asideFunction(LIBC, 'int usleep(uint32_t us)');
  assert.ok(pause !== null);
  const calls = await Promise.allSettled(Array.from({ length: 600 }, () => pause(1000)));
  const made = calls.filter(({ status }) => status === 'fulfilled').length;
  assert.ok(made >= 48 && made < 600, `${made} calls at a time`);
  assert.equal(await pause(1), 0, 'and there is room again');
});
