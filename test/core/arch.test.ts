// SPDX-License-Identifier: MIT
/** What an architecture says: which bits mean a signal, and what a PTE holds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { archName, archOf, layoutOf, pteKind } from '../../src/core/vocabulary/arch.js';
import { PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER, PTE_SWAP } from './script-writer.js';
import { FLAG, REAL, RET } from './session.js';

describe('an architecture', () => {
  it('says which bits of a thread mean a signal', () => {
    const flags = (arch: string, major: number, minor: number): number | undefined =>
      layoutOf(arch)?.signalFlags({ major, minor });
    assert.deepEqual([flags('x64', 6, 17), flags('x86_64', 6, 18), flags('amd64', 7, 3)], [4 | (1 << 17), 6, 6]);
    assert.deepEqual([flags('arm64', 6, 12), flags('aarch64', 6, 18), flags('arm64', 7, 3)], [65, 1, 129]);
    assert.equal(layoutOf('riscv64'), null);
  });

  it('is one, however it is spelled', () => {
    assert.deepEqual(['x64', 'x86_64', 'amd64'].map(archOf), ['x86_64', 'x86_64', 'x86_64']);
    assert.deepEqual(['arm64', 'aarch64', 'mips'].map(archName), ['aarch64', 'aarch64', 'mips']);
    for (const { arch } of REAL) assert.equal(archOf(arch), 'x86_64');
  });

  it('says what a PTE holds, or that it does not know', () => {
    const kinds = [PTE_SWAP, PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER, 0n].map((pte) => pteKind(pte, 'x86_64'));
    assert.deepEqual(kinds, ['swap', 'special', 'special', 'marker', 'unknown']);
    // arch/arm64/include/asm/pgtable.h: the type from bit 6 on, the offset from bit 12 on.
    const arm = (type: bigint): bigint => (1234n << 12n) | (type << 6n) | 4n;
    assert.deepEqual(
      [0n, 22n, 24n, 31n].map((type) => pteKind(arm(type), 'aarch64')),
      ['swap', 'swap', 'special', 'marker'],
    );
    assert.equal(pteKind(PTE_DEVICE, 'riscv64'), 'unknown');
    assert.equal(pteKind(PTE_DEVICE, null), 'unknown');
  });

  it('of a test session, and its flags, are those of real ones', () => {
    for (const { enums } of REAL) {
      for (const [name, bit] of Object.entries(FLAG)) assert.equal(enums.faultFlags[name], bit, name);
      for (const [name, bit] of Object.entries(RET)) assert.equal(enums.faultReasons[name], bit, name);
    }
  });
});
