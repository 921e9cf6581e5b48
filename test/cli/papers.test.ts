// SPDX-License-Identifier: MIT
/** Documents name only things that exist, and all of them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserArgs, UserKind } from '../../src/core/events/user-rows.js';
import { ENDS } from '../../src/core/lifecycle/lifecycle.js';
import { CAUSES, factsOf } from '../../src/core/vocabulary/causes.js';
import { VERDICTS } from '../../src/core/vocabulary/verdicts.js';
import { COLUMNS, FORMAT_VERSION } from '../../src/recording/format/columns.js';
import { VlArgs, VlKindNames } from '../../src/schema/events.gen.js';
import { MAIN } from './run.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

test('links between documents lead somewhere', () => {
  const broken = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('files and folders a document names exist', () => {
  const gone = PAGES.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|cli|bpf|test|scripts|share)\/[\w./-]+)`/g)]
      .map((match) => match[1] ?? '')
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(gone, []);
});

test('functions and types that ARCHITECTURE and CONTRIBUTING name are in the sources', () => {
  const sources = ['src', 'cli', 'bpf', 'packages/ebpf-ts/src', 'test/vm'].flatMap((top) =>
    readdirSync(join(ROOT, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|c|h|sh)$|^[\w-]+$/.test(name) && statSync(join(ROOT, top, name)).isFile())
      .map((name) => join(top, name)),
  );
  const known = new Set([...sources, 'Makefile'].flatMap((file) => read(file).match(/\w+/g) ?? []));
  const gone = ['ARCHITECTURE.md', 'CONTRIBUTING.md'].flatMap((page) =>
    [
      ...read(page)
        .replace(/```[\s\S]*?```/g, '')
        .matchAll(/`([A-Za-z_]\w{3,})`/g),
    ]
      .map((match) => match[1] ?? '')
      .filter((name) => !known.has(name))
      .map((name) => `${page}: ${name}`),
  );
  assert.deepEqual(gone, []);
});

test('the index lists every page', () => {
  const index = read('docs/README.md');
  const unlisted = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    .map((page) => page.slice('docs/'.length))
    .filter((page) => !index.includes(`(${page})`) && !index.includes(`(${dirname(page)})`));
  assert.deepEqual(unlisted, []);
});

test('the code map names every folder of sources', () => {
  const map = read('ARCHITECTURE.md');
  const folders = new Set(
    ['src', 'cli'].flatMap((top) =>
      readdirSync(join(ROOT, top), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => entry.parentPath.slice(ROOT.length)),
    ),
  );
  const named = (folder: string): boolean => {
    // `format/` in the row of src/recording names src/recording/format.
    const parent = dirname(folder);
    const row = map.split('\n').find((line) => line.includes(`\`${parent}\``)) ?? '';
    return map.includes(`\`${folder}\``) || row.includes(`\`${folder.slice(parent.length + 1)}/\``);
  };
  const unnamed = [...folders].filter(
    (folder) => folder !== 'src' && folder !== 'cli' && !folder.startsWith('cli/commands/') && !named(folder),
  );
  assert.deepEqual(unnamed, []);
});

test('the glossary has every end and every verdict', () => {
  const glossary = read('docs/glossary.md');
  const words = [...ENDS, ...VERDICTS].map((word) => word.replace('in-flight', 'in flight'));
  assert.deepEqual(
    words.filter((word) => !new RegExp(`^\\| [^|]*\\b${word}\\b`, 'im').test(glossary)),
    [],
  );
});

test('the page of causes says of each what can be done, as the program does', () => {
  const page = read('docs/causes.md');
  const lacking = CAUSES.filter((cause) => {
    const { process: owner, kernel } = factsOf(cause);
    return !page.includes(`| ${cause} | ${owner} | ${kernel} |`);
  });
  assert.deepEqual(lacking, []);
});

/** Blocks of the page: a command behind `$`, and under it lines of what it says, in their order; `…` leaves lines out. */
test('the page of recordings has every column with its type, every kind of row, and the format of today', () => {
  const page = read('docs/recording.md');
  const section = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const cells = (text: string): string[][] =>
    text
      .split('\n')
      .filter((line) => /^\| (?:`|\d)/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
  const listed = cells(section('Columns')).flatMap(([, names = '', types = '']) => {
    const type = types.split(', ');
    return names.split(', ').map((name, i) => `${name.replaceAll('`', '')} ${type[i] ?? type[0]}`);
  });
  assert.deepEqual(
    listed,
    COLUMNS.map(({ name, type }) => `${name} ${type}`),
  );
  type Words = Readonly<Record<string, 'a' | 'b' | 'value'>>;
  const word = (words: Words, of: 'a' | 'b' | 'value'): string => {
    const name = Object.keys(words).find((key) => words[key] === of);
    return name === undefined ? '' : `\`${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}\``;
  };
  const userArgs: Readonly<Record<string, Words>> = UserArgs;
  assert.deepEqual(
    cells(section('Rows of the user side')).map(([, ...row]) => row.slice(0, 5)),
    Object.entries(UserKind).map(([name, kind]) => {
      const words = userArgs[name] ?? {};
      return [String(kind), name, word(words, 'a'), word(words, 'b'), word(words, 'value')];
    }),
  );
  const args: Readonly<Record<string, Words>> = VlArgs;
  assert.deepEqual(
    cells(section('Rows of the kernel side')).map(([, ...row]) => row.slice(0, 4)),
    VlKindNames.map((name, kind) => [
      String(kind),
      name,
      word(args[name] ?? {}, 'a'),
      word(args[name] ?? {}, 'b'),
    ]).slice(1),
  );
  assert.match(page, new RegExp(`\\| \`vmalocktop\\.format\` \\| \`${FORMAT_VERSION}\``));
  assert.match(page, new RegExp(`^\\| ${FORMAT_VERSION} \\|`, 'm'));
});

test('the walk from a stall to its cause: every command runs, and says what the page shows', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'vmalocktop-walk-'));
  t.after(() => rmSync(dir, { recursive: true }));
  copyFileSync(join(ROOT, 'share/demo/mixed-7.3.vmlt'), join(dir, 'trace.vmlt'));
  const blocks = [
    ...read('docs/from-a-stall-to-its-cause.md').matchAll(/^```console\n\$ vmalocktop (.*)\n([\s\S]*?)^```/gm),
  ];
  assert.ok(blocks.length >= 5, 'the page has commands');
  for (const [, line = '', shown = ''] of blocks) {
    const { stdout, stderr } = spawnSync('sh', ['-c', `exec "$0" "$1" ${line}`, process.execPath, MAIN], {
      cwd: dir,
      encoding: 'utf8',
    });
    const said = `${stdout}${stderr}`.split('\n');
    let at = 0;
    for (const wanted of shown.split('\n').filter((text) => text !== '' && text.trim() !== '…')) {
      const found = said.indexOf(wanted, at);
      assert.ok(found >= 0, `${line}: says no ${JSON.stringify(wanted)}`);
      at = found + 1;
    }
  }
});

test('the output in the README is what stat says of the bundled recording', () => {
  const block = /^```\n( .*?)^```/ms.exec(read('README.md'))?.[1] ?? '';
  const lines = block.trimEnd().split('\n');
  assert.ok(lines.length >= 10, 'some lines of output are there');
  const recording = join(ROOT, 'test/golden/mixed-7.3.vmlt');
  const said = new Set(execFileSync(process.execPath, [MAIN, 'stat', recording], { encoding: 'utf8' }).split('\n'));
  assert.deepEqual(
    lines.filter((line) => !said.has(line)),
    [],
  );
});
