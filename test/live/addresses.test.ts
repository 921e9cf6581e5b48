// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { kernelAddresses } from '../../src/live/addresses.js';
import { Kallsyms } from '../../src/symbols/kallsyms.js';

describe('kernelAddresses', () => {
  const directory = mkdtempSync(join(tmpdir(), 'addresses-test-'));
  after(() => rmSync(directory, { recursive: true }));
  const file = (text: string): string => {
    const path = join(directory, 'kallsyms');
    writeFileSync(path, text);
    return path;
  };
  const hex = (n: number): string => (0xffff_ffff_8100_0000n + BigInt(n)).toString(16);

  it('are those a whole reading of the file gives, wherever a piece of it ends', () => {
    const lines: string[] = [];
    for (let i = 0; i < 40_000; i++) lines.push(`${hex(16 * i)} t some_function_number_${i}`);
    lines[7] = `${hex(16 * 7)} T handle_mm_fault`;
    lines[8] = `${hex(16 * 7)} T handle_mm_fault_alias`;
    for (let at = 12_000; at < 12_400; at += 7) {
      const moved = lines.with(at, `${hex(16 * at)} t __vmf_anon_prepare`);
      moved[39_999] = `${hex(16 * 39_999)} T filemap_map_pages`;
      moved.push(`${hex(16 * 40_000)} T after_it`);
      const text = `${moved.join('\n')}\n`;
      const whole = Kallsyms.parse(Buffer.from(text), 'kallsyms').kallsyms;
      const found = kernelAddresses(file(text));
      assert.deepEqual(found, {
        anonPrepare: whole?.range('__vmf_anon_prepare'),
        handleMmFault: whole?.range('handle_mm_fault'),
        filemapMapPages: whole?.address('filemap_map_pages'),
        why: '',
      });
    }
  });

  it('agree with this kernel, as far as it shows them', () => {
    const whole = Kallsyms.load();
    const found = kernelAddresses();
    assert.deepEqual(found.handleMmFault, whole?.range('handle_mm_fault') ?? null);
    assert.deepEqual(found.filemapMapPages, whole?.address('filemap_map_pages') ?? null);
    assert.equal(found.why === '', whole !== null);
  });

  it('are not known, and why is said, where they are hidden or cannot be read', () => {
    const zeros = readFileSync('/proc/kallsyms', 'latin1')
      .slice(0, 100_000)
      .replace(/^[0-9a-f]{16}/gm, '0'.repeat(16));
    const hidden = kernelAddresses(file(`${zeros}\n0000000000000000 T handle_mm_fault\n0000000000000000 T last\n`));
    assert.deepEqual([hidden.anonPrepare, hidden.handleMmFault, hidden.filemapMapPages], [null, null, null]);
    assert.match(hidden.why, /kptr_restrict/);
    assert.match(kernelAddresses(join(directory, 'none')).why, /ENOENT/);
  });
});
