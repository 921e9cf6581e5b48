// SPDX-License-Identifier: MIT
/** Constants of the BPF object that depend on the kernel: by what is in it, not by its release alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backingBit } from '../../src/live/rodata.js';

test('FMODE_BACKING is where this kernel has it', () => {
  // What alloc_empty_backing_file of 6.12.95 and 6.12.118 ORs into f_mode, by their machine code; and the functions in each one's BTF.
  for (const [release, functions, bit] of [
    ['6.12.43', [], 25],
    ['6.12.95', [], 25],
    ['6.12.118', ['file_set_fsnotify_mode'], 24],
    ['6.16.12', ['file_set_fsnotify_mode_from_watchers'], 24],
    ['7.3.4', ['fsnotify_open_perm_and_set_mode'], 24],
    // One that nobody looked into: its release says it.
    ['6.14.0', [], 24],
    ['7.0.0', [], 24],
  ] as const) {
    const [major = 0, minor = 0] = release.split('.').map(Number);
    const has = new Set<string>(functions);
    assert.equal(
      backingBit({ major, minor }, (name) => has.has(name)),
      1 << bit,
      release,
    );
  }
});
