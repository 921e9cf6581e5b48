// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
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

test('every function and every method says what it does', () => {
  const bare: string[] = [];
  let methods = 0;
  for (const [, name = '', code = ''] of read('API.md').matchAll(/^## (\w+)\n\n```ts\n([\s\S]*?)^```$/gm)) {
    const lines = code.split('\n');
    lines.forEach((line, i) => {
      const member = /^(?:function| {4}(?!constructor)(?:static )?)(?: ?)(\w+)(?:<[^(]*>)?\(/.exec(line)?.[1];
      if (member === undefined || !/^(?:class|function)/m.test(code) || (line.startsWith(' ') && !/^class/m.test(code)))
        return;
      methods++;
      if (!/\*\/$/.test(lines[i - 1] ?? '')) bare.push(`${name}.${member}`);
    });
  }
  assert.ok(methods > 100, String(methods));
  assert.deepEqual(bare, []);
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

test('what npm pack makes can be installed, imported, compiled against and run', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pack-'));
  try {
    execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], { cwd: root, stdio: 'ignore' });
    const modules = join(dir, 'node_modules');
    mkdirSync(join(modules, 'ebpf-ts'), { recursive: true });
    const [tarball = ''] = readdirSync(dir).filter((name) => name.endsWith('.tgz'));
    execFileSync('tar', ['xf', join(dir, tarball), '-C', join(modules, 'ebpf-ts'), '--strip-components=1']);
    const own = fileURLToPath(new URL('../../node_modules/', root));
    for (const name of ['koffi', '@types']) symlinkSync(join(own, name), join(modules, name));
    const script = `import { BpfObject, Btf, MapType } from 'ebpf-ts';
      import { RingProducer } from 'ebpf-ts/testing';
      using object = BpfObject.open(process.argv[2]);
      console.log(object.map('by_process').type === MapType.Hash, Btf.fromFile(process.argv[2]).count > 9, typeof RingProducer);`;
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(dir, 'a.js'), script.replace('using object', 'const object'));
    const elf = fileURLToPath(new URL('dist/examples/counter.bpf.o', root));
    assert.equal(execFileSync(process.execPath, ['a.js', elf], { cwd: dir, encoding: 'utf8' }), 'true true function\n');
    const made = execFileSync(join(modules, 'ebpf-ts/dist/src/cli.js'), ['generate', elf], { encoding: 'utf8' });
    assert.equal(made, read('examples/counter.gen.ts'));
    for (const name of ['counter.ts', 'counter.gen.ts', 'execsnoop.ts', 'execsnoop.gen.ts'])
      writeFileSync(join(dir, name), readFileSync(join(modules, 'ebpf-ts/examples', name)));
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const compile = [
      join(own, 'typescript/bin/tsc'),
      ...options,
      '--lib',
      'es2023,esnext.disposable',
      'counter.ts',
      'execsnoop.ts',
    ];
    const { stdout, status } = spawnSync(process.execPath, compile, { cwd: dir, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

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
