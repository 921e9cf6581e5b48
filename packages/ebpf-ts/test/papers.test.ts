// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as api from '../src/index.js';
import { apiDoc } from './api-doc.js';

const root = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const links = (): string[] =>
  [...read('README.md').matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target = '']) => target);

test('API.md is what the docstrings say: node packages/ebpf-ts/dist/test/api-doc.js', () => {
  assert.equal(read('API.md'), apiDoc());
});

test('nothing of what is internal is in it, and every declaration is whole', () => {
  const text = read('API.md');
  assert.doesNotMatch(text, /@internal|#private/);
  for (const [, block = ''] of text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)) {
    const code = block.replace(/\/\*[\s\S]*?\*\//g, '');
    for (const pair of ['{}', '()', '[]'])
      assert.equal(code.split(pair[0] as string).length, code.split(pair[1] as string).length, block);
  }
});

test('every export is in it', () => {
  for (const name of Object.keys(api)) assert.ok(read('API.md').includes(`## ${name}\n`), name);
});

test('files the README links to are there', () => {
  assert.ok(links().length >= 6);
  for (const target of links()) assert.ok(existsSync(new URL(target, root)), target);
});

test('six examples, each under thirty lines and by the public API alone', () => {
  const names = readdirSync(new URL('examples/', root)).filter((name) => /(?<!\.gen)\.ts$/.test(name));
  assert.equal(names.length, 6);
  for (const name of names) {
    const text = read(`examples/${name}`);
    assert.ok(text.split('\n').length < 30, name);
    for (const [, from = ''] of text.matchAll(/ from '([^']+)'/g))
      assert.match(from, /^(ebpf-ts|node:.*|\.\/\w+\.gen\.js)$/, name);
  }
});

/** Every path that `exports` and `bin` name. */
function targets(value: unknown): string[] {
  return typeof value === 'string' ? [value] : Object.values(value as object).flatMap(targets);
}

test('npm pack holds what is needed, and nothing else', () => {
  const [{ files }] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
  ) as [{ files: readonly { path: string }[] }];
  const packed = new Set(files.map(({ path }) => path));
  const sources = readdirSync(new URL('src/', root)).map((name) => name.replace(/\.ts$/, ''));
  const examples = readdirSync(new URL('examples/', root)).map((name) => `examples/${name}`);
  const { exports, bin } = JSON.parse(read('package.json')) as Record<string, unknown>;
  const needed = [
    ...['package.json', 'README.md', 'API.md', 'CHANGELOG.md', 'LICENSE'],
    ...sources.flatMap((name) => [`src/${name}.ts`, `dist/src/${name}.js`, `dist/src/${name}.d.ts`]),
    ...examples,
    ...[...targets(exports), ...targets(bin)].map((path) => path.replace('./', '')),
    ...links().filter((path) => !path.endsWith('/')),
  ];
  assert.ok(sources.length > 40 && examples.length === 18);
  for (const path of needed) assert.ok(packed.has(path), `${path} is not packed`);
  const maps = sources.map((name) => `dist/src/${name}.js.map`);
  assert.deepEqual(
    [...packed].filter((path) => !needed.includes(path) && !maps.includes(path)),
    [],
  );
});
