// SPDX-License-Identifier: MIT
/** Man pages, completions and examples name exactly what the command tree has. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { completionScript, SHELLS } from '../../cli/commands/completion/index.js';
import { commandTree } from '../../cli/common/tree.js';
import { EXAMPLES } from '../../cli/examples.js';
import { buildProgram, splitArguments } from '../../cli/program.js';
import { manPages } from '../../scripts/package/man.js';

const tree = commandTree(buildProgram([], () => {}));
const [, ...commands] = tree;
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** What the reader of a page sees. */
function plain(page: string): string {
  return page
    .replace(/\\f[BRI]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\')
    .replace(/^\\&/gm, '');
}

test('every option of every command is in its man page, with what it says, its choices and its default', () => {
  const pages = manPages(tree, '1.2.3', '2026-01-02');
  assert.equal(pages.size, commands.length + 1);
  const lacking: string[] = [];
  for (const command of commands) {
    const page = plain(pages.get(`vmalocktop-${command.name}.8`) ?? '');
    for (const option of command.options) {
      const from = page.search(new RegExp(`^(-\\w, )?${option.long}( |$)`, 'm'));
      const entry = from === -1 ? '' : page.slice(from, page.indexOf('\n.TP', from));
      const facts = [option.short ?? '', ...option.choices, option.default, option.description.replaceAll('…', '...')];
      for (const fact of facts) if (!entry.includes(fact)) lacking.push(`${command.name} ${option.long}: ${fact}`);
      if (entry === '') lacking.push(`${command.name} ${option.long}`);
    }
  }
  assert.deepEqual(lacking, []);
});

/** `texts` as files, for programs that read files; they go with the test. */
function filesOf(t: TestContext, texts: ReadonlyMap<string, string>): readonly string[] {
  const dir = mkdtempSync(join(tmpdir(), 'vmalocktop-tree-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return [...texts].map(([name, text]) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  });
}

test('man reads the pages without a warning', { skip: has('man') ? false : 'man is not installed' }, (t) => {
  const files = filesOf(t, manPages(tree, '1.2.3', '2026-01-02'));
  const { stderr, status } = spawnSync('man', ['--warnings', '-l', '-Tutf8', '-Z', ...files], {
    encoding: 'utf8',
    env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8' },
  });
  assert.deepEqual([status, stderr], [0, '']);
});

/** The words of a line as a shell splits it, up to a pipe or a redirection. */
function words(line: string): readonly string[] {
  const all = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');
  const end = all.findIndex((word) => word === '|' || word === '>');
  return end === -1 ? all : all.slice(0, end);
}

test('every command has examples, and the parser takes each of them', async () => {
  assert.deepEqual(Object.keys(EXAMPLES).sort(), ['', ...commands.map(({ name }) => name)].sort());
  for (const [name, examples] of Object.entries(EXAMPLES))
    for (const { words: line } of examples) {
      const { own } = splitArguments(words(line));
      const seen: string[] = [];
      const program = buildProgram([], () => {});
      for (const command of program.commands) command.action((): void => void seen.push(command.name()));
      await program.parseAsync([...own], { from: 'user' });
      assert.equal(seen.length, 1, line);
      if (name !== '') assert.deepEqual(seen, [name], line);
    }
});

test('help has the examples, and options under headings where there are many', () => {
  for (const command of buildProgram([], () => {}).commands) {
    const said: string[] = [];
    command.configureOutput({ writeOut: (text) => void said.push(text) }).outputHelp();
    const help = said.join('');
    for (const { words: line } of EXAMPLES[command.name()] ?? [])
      assert.ok(help.includes(`  vmalocktop ${line}\n`), line);
    const { options = [] } = commands.find(({ name }) => name === command.name()) ?? {};
    const headless = options.filter(({ group, long }) => group === 'Options' && long !== '--help');
    assert.ok(headless.length <= 6, `${command.name()}: ${headless.map(({ long }) => long).join(' ')}`);
  }
});

/** What bash offers when Tab is pressed behind `line`. */
function offered(line: string): readonly string[] {
  const script = completionScript('bash', tree);
  const list = line.split(' ');
  const call = `${script}
compopt() { :; }
COMP_WORDS=(${list.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${list.length - 1}
_vmalocktop; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', call], { encoding: 'utf8' })
    .split('\n')
    .filter((word) => word !== '');
}

test('bash completes commands, options and values; where a file belongs it leaves that to bash', () => {
  assert.deepEqual(offered('vmalocktop re'), ['record', 'replay', 'report']);
  assert.deepEqual(offered('vmalocktop stat --sc'), ['--scope']);
  assert.deepEqual(offered('vmalocktop stat --scope '), ['swap', 'retry', 'all']);
  assert.deepEqual(offered('vmalocktop --scope s'), ['swap']);
  assert.deepEqual(offered('vmalocktop export -t w'), ['waits']);
  assert.deepEqual(offered('vmalocktop completion ').slice(0, 3), ['bash', 'zsh', 'fish']);
  assert.deepEqual(offered('vmalocktop replay '), []);
  assert.deepEqual(offered('vmalocktop record -o '), []);
  assert.ok(offered('vmalocktop stat -- tru').includes('true'));
});

const scriptOf = (shell: string): string => completionScript(shell, tree);

for (const shell of Object.keys(SHELLS))
  test(`${shell} can read its script`, { skip: has(shell) ? false : `${shell} is not installed` }, (t) => {
    const script = scriptOf(shell);
    const { status, stderr } = spawnSync(shell, ['-n', ...filesOf(t, new Map([[shell, script]]))], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    for (const { long } of commands.flatMap(({ options }) => options)) assert.ok(script.includes(long.slice(2)), long);
  });

test('zsh completes', { skip: has('zsh') ? false : 'zsh is not installed' }, (t) => {
  // _arguments needs a terminal; what it is given is tried: every spec is one word and names its option.
  const [file = ''] = filesOf(t, new Map([['_vmalocktop', scriptOf('zsh')]]));
  const call = `compdef() { :; }; _arguments() { print -l -- "$@"; }; source ${file}; words=(vmalocktop stat ''); CURRENT=3; _vmalocktop`;
  const specs = execFileSync('zsh', ['-f', '-c', call], { encoding: 'utf8' }).trimEnd().split('\n');
  assert.ok(
    specs.some((spec) => spec.startsWith('*--scope[') && spec.endsWith('(swap retry all)')),
    specs.join('\n'),
  );
  assert.ok(specs.includes('*:file:_files'));
});

test('fish completes', { skip: has('fish') ? false : 'fish is not installed' }, (t) => {
  const [file = ''] = filesOf(t, new Map([['vmalocktop.fish', scriptOf('fish')]]));
  const ask = (line: string): readonly string[] =>
    execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
      .map((row) => row.split('\t')[0] ?? '');
  assert.deepEqual(ask('vmalocktop rep'), ['replay', 'report']);
  assert.deepEqual([...ask('vmalocktop stat --scope ')].sort(), ['all', 'retry', 'swap']);
});
