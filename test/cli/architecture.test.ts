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

function imports(...tops: readonly string[]): readonly Import[] {
  const found: Import[] = [];
  for (const top of tops) {
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

const ALL = imports('src', 'cli', 'packages/ebpf-ts/src');
const EBPF_TS = 'packages/ebpf-ts/src/';
const ours = (target: string): boolean => /^(src|cli|packages)\//.test(target);
const isPackage = (target: string, name: string): boolean => target === name || target.startsWith(`${name}/`);

function offenders(wrong: (file: string, target: string) => boolean): readonly string[] {
  return ALL.filter(([file, target]) => wrong(file, target)).map(([file, target]) => `${file} imports ${target}`);
}

test('the scan sees imports of both kinds', () => {
  assert.ok(ALL.some(([file, target]) => file === 'cli/main.ts' && target === 'cli/program.ts'));
  assert.ok(ALL.some(([file, target]) => file === 'cli/program.ts' && target === 'commander'));
  assert.ok(ALL.some(([file, target]) => file === 'cli/live-commands.ts' && target === 'cli/commands/stat/index.ts'));
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

test('ebpf-ts imports itself, Node and koffi, and koffi in ffi.ts alone', () => {
  assert.ok(ALL.some(([file]) => file.startsWith(EBPF_TS)));
  assert.deepEqual(
    offenders(
      (file, target) =>
        file.startsWith(EBPF_TS) &&
        !target.startsWith(EBPF_TS) &&
        !target.startsWith('node:') &&
        !(file === `${EBPF_TS}ffi.ts` && target === 'koffi'),
    ),
    [],
  );
});

test('the project imports ebpf-ts by its name, and koffi not at all', () => {
  assert.ok(ALL.some(([file, target]) => !file.startsWith(EBPF_TS) && target === 'ebpf-ts'));
  assert.deepEqual(
    offenders(
      (file, target) =>
        !file.startsWith(EBPF_TS) &&
        (isPackage(target, 'koffi') || target.includes('ebpf-ts/') || target.startsWith('packages/')),
    ),
    [],
  );
});

test('tests and scripts, too, import of ebpf-ts what it exports', () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'packages/ebpf-ts/package.json'), 'utf8')) as {
    exports: Record<string, unknown>;
  };
  const names = new Set(Object.keys(exports).map((name) => join('ebpf-ts', name)));
  const outside = imports('test', 'scripts').filter(([, target]) => target.includes('ebpf-ts'));
  assert.ok(outside.length > 3);
  assert.deepEqual(
    outside.filter(([, target]) => !names.has(target)).map(([file, target]) => `${file} imports ${target}`),
    [],
  );
});

test('blessed is imported by one file of cli/tui', () => {
  const files = new Set(ALL.filter(([, target]) => isPackage(target, 'blessed')).map(([file]) => file));
  assert.ok(files.size <= 1, [...files].join(', '));
  for (const file of files) assert.ok(file.startsWith('cli/tui/'), file);
});

test('Arrow stays in the recording', () => {
  assert.deepEqual(
    offenders((file, target) => isPackage(target, 'apache-arrow') && !file.startsWith('src/recording/')),
    [],
  );
});

/** Folders from the ground up. A folder imports from those of rows above its own, and from itself. */
const FLOORS: readonly (readonly string[])[] = [
  ['packages/ebpf-ts/src'],
  ['src/schema'],
  ['src/core/vocabulary', 'src/core/bounded'],
  ['src/core/events'],
  ['src/core/lifecycle/table'],
  ['src/core/lifecycle'],
  ['src/core/aggregate/series', 'src/core/aggregate'],
  ['src/core/present'],
  ['src/core/present/fields'],
  ['src/core/alerts', 'src/core/check', 'src/core/diff', 'src/core/verdict'],
  ['src/core/view'],
  ['src', 'src/config'],
  ['src/symbols', 'src/recording/format'],
  ['src/output'],
  ['src/recording/read', 'src/recording/write', 'src/privileges'],
  ['src/recording/play'],
  ['src/live/names'],
  ['src/live'],
  ['src/doctor', 'src/metrics', 'src/actions', 'src/export/base'],
  ['src/export/tables', 'src/export/perfetto', 'src/export/stacks', 'src/report'],
  ['src/export', 'src/daemon'],
  ['cli/tui'],
  ['cli/common'],
  ['cli/commands'],
  ['cli'],
];

/** `cli/commands/stat` stands for `cli/commands`: commands have a folder each and may share text. */
const room = (file: string): string => dirname(file).replace(/^cli\/commands\/.*/, 'cli/commands');

test('folders import downward', () => {
  const floor = new Map(FLOORS.flatMap((rooms, index) => rooms.map((name) => [name, index] as const)));
  const rooms = new Set(ALL.flatMap(([file]) => [room(file)]));
  assert.deepEqual(
    [...rooms].filter((name) => !floor.has(name)),
    [],
    'every folder has its floor here',
  );
  const upward = ALL.filter(([file, target]) => {
    if (!ours(target) || room(file) === room(target)) return false;
    return (floor.get(room(target)) ?? Number.POSITIVE_INFINITY) > (floor.get(room(file)) ?? -1);
  });
  assert.deepEqual(
    upward.map(([file, target]) => `${file} imports ${target}`),
    [],
  );
});

/** The nodes that lie on a circle of `edges`, each circle once. */
function circles(edges: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const [from, target] of edges) next.set(from, [...(next.get(from) ?? []), target]);
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (node: string, path: readonly string[]): void => {
    if (state.get(node) === 'done') return;
    if (state.get(node) === 'open') {
      found.push([...path.slice(path.indexOf(node)), node].join(' → '));
      return;
    }
    state.set(node, 'open');
    for (const target of next.get(node) ?? []) visit(target, [...path, node]);
    state.set(node, 'done');
  };
  for (const [from] of edges) visit(from, []);
  return found;
}

test('a circle is found', () => {
  assert.deepEqual(
    circles([
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
      ['c', 'd'],
    ]),
    ['a → b → c → a'],
  );
});

test('no circle of files, none of folders', () => {
  assert.deepEqual(circles(ALL.filter(([, target]) => ours(target))), []);
  assert.deepEqual(
    circles(
      ALL.filter(([, target]) => ours(target))
        .map(([file, target]): Import => [room(file), room(target)])
        .filter(([from, target]) => from !== target),
    ),
    [],
  );
});

test('commander is imported by the command tree alone', () => {
  const allowed = new Set([
    'cli/main.ts',
    'cli/program.ts',
    'cli/live-commands.ts',
    'cli/recording-commands.ts',
    'cli/common/cgroup-options.ts',
    'cli/common/options.ts',
    'cli/common/parse.ts',
    'cli/common/tree.ts',
    'cli/common/usage.ts',
  ]);
  assert.deepEqual(
    offenders((file, target) => isPackage(target, 'commander') && !allowed.has(file)),
    [],
  );
});
