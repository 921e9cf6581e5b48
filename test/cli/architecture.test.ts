// SPDX-License-Identifier: MIT
/** Imports run downward only. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** [file, what it imports]: our own files as paths from the root, packages by name. */
type Import = readonly [file: string, imported: string];

function imports(): readonly Import[] {
  const found: Import[] = [];
  for (const top of ['src', 'cli']) {
    for (const name of readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue;
      const file = join(top, name);
      const text = readFileSync(join(ROOT, file), 'utf8');
      for (const match of text.matchAll(/(?:\bfrom |\bimport |\bimport\(|\brequire\()'([^'\n]+)'/g)) {
        const target = match[1] ?? '';
        found.push([
          file,
          target.startsWith('.') ? normalize(join(dirname(file), target)).replace(/\.js$/, '.ts') : target,
        ]);
      }
    }
  }
  return found;
}

const ALL = imports();
const ours = (target: string): boolean => target.startsWith('src/') || target.startsWith('cli/');
const isPackage = (target: string, name: string): boolean => target === name || target.startsWith(`${name}/`);

function offenders(wrong: (file: string, target: string) => boolean): readonly string[] {
  return ALL.filter(([file, target]) => wrong(file, target)).map(([file, target]) => `${file} imports ${target}`);
}

test('the scan sees imports of both kinds', () => {
  assert.ok(ALL.some(([file, target]) => file === 'cli/main.ts' && target === 'cli/program.ts'));
  assert.ok(ALL.some(([file, target]) => file === 'cli/program.ts' && target === 'commander'));
  assert.ok(ALL.some(([file, target]) => file === 'cli/program.ts' && target === 'cli/commands/stat.ts'));
});

test('src never imports cli', () => {
  assert.deepEqual(
    offenders((file, target) => file.startsWith('src/') && target.startsWith('cli/')),
    [],
  );
});

test('the core imports the core, the generated layout, and width tables: no Node', () => {
  const allowed = new Set(['src/schema/events.gen.ts', 'get-east-asian-width']);
  assert.deepEqual(
    offenders(
      (file, target) => file.startsWith('src/core/') && !target.startsWith('src/core/') && !allowed.has(target),
    ),
    [],
  );
});

test('ebpf-ts knows nothing of ours', () => {
  assert.deepEqual(
    offenders((file, target) => file.startsWith('src/ebpf-ts/') && ours(target) && !target.startsWith('src/ebpf-ts/')),
    [],
  );
});

test('koffi is imported by ffi.ts alone', () => {
  assert.deepEqual(
    offenders((file, target) => isPackage(target, 'koffi') && file !== 'src/ebpf-ts/ffi.ts'),
    [],
  );
});

test('blessed is imported by one file of cli/tui', () => {
  const files = new Set(ALL.filter(([, target]) => isPackage(target, 'blessed')).map(([file]) => file));
  assert.ok(files.size <= 1, [...files].join(', '));
  for (const file of files) assert.ok(file.startsWith('cli/tui/'), file);
});

test('Arrow stays in the recording and its sources', () => {
  const allowed = (file: string): boolean => file.startsWith('src/recording/') || file.startsWith('src/source/');
  assert.deepEqual(
    offenders((file, target) => isPackage(target, 'apache-arrow') && !allowed(file)),
    [],
  );
});

test('commander is imported by the command tree alone', () => {
  const allowed = new Set(['cli/main.ts', 'cli/program.ts', 'cli/options.ts']);
  assert.deepEqual(
    offenders((file, target) => isPackage(target, 'commander') && !allowed.has(file)),
    [],
  );
});
