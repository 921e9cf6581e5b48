// SPDX-License-Identifier: MIT
/** Each header of bpf/ includes what it uses: it compiles by itself, so an editor understands it, and headers may be included in any order. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BPF = fileURLToPath(new URL('../../../bpf', import.meta.url));
// A static function that only another header calls is no mistake here.
const FLAGS = '-fsyntax-only -O2 -Wall -Werror -Wno-unused-function -target bpf -D__TARGET_ARCH_x86 -I'.split(' ');
const headers = readdirSync(BPF).filter((name) => name.endsWith('.h'));

describe('headers of bpf/', () => {
  it('are there', () => assert.ok(headers.length > 20));
  for (const name of headers)
    it(`${name} compiles alone`, () => {
      const { status, stderr } = spawnSync('clang', [...FLAGS, BPF, '-x', 'c', '-'], {
        input: `#include "${name}"\n`,
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
    });
});
