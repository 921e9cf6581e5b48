// SPDX-License-Identifier: MIT
/**
 * Node and libbpf on AddressSanitizer's allocator: memory of C's heap that is freed twice, used after it was freed or overrun by a
 * function of libc ends the process with a report. It does not see what libbpf's own instructions read and write (they are not
 * instrumented) nor what the kernel writes: buffers before guard pages are for those (maps-memory.test.ts).
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';

function find(): string | null {
  try {
    const path = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}
const library = find();
const skip = library === null && 'gcc has no libasan here';

/** Runs `script` as a module on ASan's allocator. */
function run(script: string): { status: number | null; stdout: string; stderr: string } {
  const imports = `const { BpfObject } = await import('${import.meta.resolve('../src/object.js')}');
    const { BpfMap } = await import('${import.meta.resolve('../src/map.js')}');
    const { libbpf } = await import('${import.meta.resolve('../src/ffi.js')}');
    const { readFileSync } = await import('node:fs');
    const elf = readFileSync('${new URL('kinds.bpf.o', import.meta.url).pathname}');`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', `${imports}${script}`], {
    encoding: 'utf8',
    env: { ...process.env, LD_PRELOAD: library ?? '', ASAN_OPTIONS: 'detect_leaks=0:exitcode=99' },
  });
}

describe("on AddressSanitizer's allocator", { skip }, () => {
  it('what is freed twice is found, so that the rest of this file says something', () => {
    const { status, stderr } = run(`const handle = libbpf().objectOpenMem(elf, elf.length, null);
      libbpf().objectClose(handle);
      libbpf().objectClose(handle);`);
    assert.equal(status, 99, stderr);
    assert.match(stderr, /AddressSanitizer: (heap-use-after-free|attempting double-free)/);
  });

  it('objects opened, set up, misused, damaged and closed in any order leave nothing to report', () => {
    const { status, stdout, stderr } = run(`let opened = 0, refused = 0;
      const attempt = (call) => { try { call(); opened++; } catch (error) { if (error.name !== 'BpfError') throw error; refused++; } };
      for (let i = 0; i < 90; i++) {
        const bytes = Buffer.from(elf);
        if (i % 3 > 0) bytes[(i * 7919) % bytes.length] ^= 1 << i % 8;
        attempt(() => {
          const object = BpfObject.open(bytes, { name: 'x'.repeat(i) });
          const programs = [...object.programs.values()];
          const maps = [...object.maps.values()];
          attempt(() => object.global('knob').set(i));
          attempt(() => object.setGlobal('.rodata', 'knob', -i));
          attempt(() => object.typed('numbers'));
          attempt(() => object.map('numbers').setMaxEntries(i + 1));
          attempt(() => programs[i % programs.length].setAttachTarget('f'.repeat(i)));
          attempt(() => programs[i % programs.length].setType(i % 40, i % 60));
          if (i % 2) attempt(() => programs[0].attach());
          if (i % 45 === 0) attempt(() => object.load());
          object.close();
          for (const program of programs) attempt(() => program.attach());
          for (const map of maps) attempt(() => map.get(0));
          object.close();
        });
      }
      process.stdout.write(opened + ' ' + refused);`);
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /AddressSanitizer/);
    const [opened = 0, refused = 0] = stdout.split(' ').map(Number);
    assert.ok(opened > 200 && refused > 100, stdout);
  });

  it('neither do maps', () => {
    const { status, stdout, stderr } = run(`let made = 0;
      try {
        for (const type of [1, 2, 5, 6, 9, 10, 22, 23])
          for (const valueSize of [1, 7, 64, 4095]) {
            const keySize = type > 20 ? 0 : 4;
            const map = BpfMap.create({ type, keySize, valueSize, maxEntries: 3 });
            const value = new Uint8Array(map.copiedSize);
            if (keySize === 0) { map.push(value); map.pop(); }
            else { map.set(1, value); map.get(1); [...map]; [...map.batches({ size: 2 })]; map.setAll([[2, value]]); }
            map.close();
            try { map.get(1); } catch {}
            made++;
          }
      } catch (error) { if (error.code !== 'EPERM') throw error; }
      process.stdout.write(String(made));`);
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /AddressSanitizer/);
    assert.ok(['0', '32'].includes(stdout), stdout);
  });
});
