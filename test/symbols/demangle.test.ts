// SPDX-License-Identifier: MIT
/** Mangled names: those of this machine's libstdc++, and Rust's in both of its schemes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { awaitsDemangler, demangle, prepareDemangler } from '../../src/symbols/demangle.js';

test('before it is prepared names stay as they are, and say that they wait', async () => {
  assert.equal(demangle('_Znwm'), '_Znwm');
  assert.ok(awaitsDemangler('_Znwm') && !awaitsDemangler('__x64_sys_mmap') && !awaitsDemangler('_Read'));
  await prepareDemangler();
  assert.ok(!awaitsDemangler('_Znwm'));
});

test('C++, both schemes of Rust, and clones; names of C are left alone', () => {
  const names: readonly (readonly [string, string])[] = [
    ['_Znwm', 'operator new(unsigned long)'],
    ['_ZNSt6vectorIiSaIiEE9push_backERKi', 'std::vector<int, std::allocator<int> >::push_back(int const&)'],
    ['_ZN4core3fmt9Formatter3pad17h2b1d3c4e5f60718aE', 'core::fmt::Formatter::pad'],
    ['_RNvNtCs1234_7mycrate3foo3bar', 'mycrate::foo::bar'],
    ['__x64_sys_mmap', '__x64_sys_mmap'],
    ['_init', '_init'],
    ['_Read', '_Read'],
    ['_ZTV', '_ZTV'],
    ['_ZN5boost', '_ZN5boost'],
    ['malloc', 'malloc'],
    ['', ''],
  ];
  for (const [mangled, plain] of names) assert.equal(demangle(mangled), plain, mangled);
});

test('of the names libstdc++ exports here, none stays mangled, and most read as c++filt has them', (t) => {
  const folder = '/usr/lib/x86_64-linux-gnu';
  let file = '';
  try {
    file = readdirSync(folder).find((name) => /^libstdc\+\+\.so\.6\.0\./.test(name)) ?? '';
  } catch {
    // No such folder: another architecture.
  }
  if (file === '') return t.skip('no libstdc++ where Debian has it on x86-64');
  let listed = '';
  try {
    listed = execFileSync('nm', ['-D', '--defined-only', `${folder}/${file}`], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
  } catch {
    return t.skip('no nm and c++filt here (binutils)');
  }
  const mangled = listed
    .split('\n')
    .map((line) => line.split(' ').at(-1)?.split('@')[0] ?? '')
    .filter((name) => name.startsWith('_Z'));
  assert.ok(mangled.length > 3000, `${mangled.length} names`);
  const filtered = execFileSync('c++filt', { input: mangled.join('\n'), encoding: 'utf8', maxBuffer: 1 << 26 }).split(
    '\n',
  );
  // How std::string is written out, whether a template's return type stands before it, and what a vtable is called, each
  // has its own way: a sixth of what this library exports.
  const same = (text: string): string => text.replaceAll(' ', '');
  const differ = mangled.filter((name, i) => same(demangle(name)) !== same(filtered[i] ?? ''));
  assert.ok(
    mangled.every((name) => demangle(name) !== name),
    'none is left mangled',
  );
  t.diagnostic(`${differ.length} of ${mangled.length} differ: ${differ.slice(0, 3).join(' ')}`);
  assert.ok(differ.length < mangled.length / 5, `${differ.length} of ${mangled.length}`);
});
