// SPDX-License-Identifier: MIT
/** A copy of the tree in which a test makes a change: editing files, what the compiler says then, what the program prints then. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { long } from '../long.js';

export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['src', 'cli', 'test', 'scripts', 'packages', 'bpf', 'docs', 'dist', 'Makefile', 'package.json'];
const COPY = long ? mkdtempSync(join(tmpdir(), 'vmalocktop-changes-')) : '';
after(() => {
  if (long) rmSync(COPY, { recursive: true, force: true });
});
for (const name of long ? [...COPIED, 'tsconfig.json', 'tsconfig.base.json'] : [])
  cpSync(join(ROOT, name), join(COPY, name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
if (long) symlinkSync(join(ROOT, 'node_modules'), join(COPY, 'node_modules'));

export function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: COPY, encoding: 'utf8', env });
  assert.equal(error, undefined);
  return { status, output: `${stdout}${stderr}` };
}

/** The files the compiler finds something wrong with, an error each. */
export function wrong(): readonly string[] {
  const { status, output } = run(process.execPath, 'node_modules/typescript/bin/tsc', '-b', '--pretty', 'false');
  const files = [...output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map((match) => match[1] ?? '');
  // A compiler that could not work names no file either.
  assert.equal(status === 0, files.length === 0, `status ${status}\n${output}`);
  return files;
}

/** What `code` prints, in the copy as it was compiled last; `snapshot` is one of a retry so long that cgroups need not be named any more. */
export function outputs(code: string): Record<string, unknown> {
  const { status, output } = run(
    process.execPath,
    '--input-type=module',
    '-e',
    `const { AVOIDABLE, inOrder, retry, snapshotOf } = await import('./dist/test/core/wire.js');
    const fault = retry({ fault: 1, tid: 200, from: 1000, to: 11e9, found: AVOIDABLE, folio: 3, mmWait: 500 });
    const snapshot = snapshotOf(inOrder(fault));
    const { statJson } = await import('./dist/cli/commands/stat/json.js');
    const { statText } = await import('./dist/cli/commands/stat/text.js');
    const { snapshotFamilies } = await import('./dist/src/metrics/families.js');
    const { metricsText } = await import('./dist/src/metrics/text.js');
    const stat = statJson(snapshot), text = statText(snapshot);
    const metrics = metricsText(snapshotFamilies(snapshot, 5), 'prometheus');
    ${code}`,
  );
  assert.equal(status, 0, output);
  return JSON.parse(output);
}

/** Edits of one change; taken back at its end. */
export class Change {
  /** null: there was no such file. */
  readonly #before: Map<string, string | null> = new Map();

  /** Puts `text` before or behind `mark`, which stands once in `file`. */
  edit(file: string, mark: string, text: string, where: 'before' | 'behind' = 'before'): void {
    const was = readFileSync(join(COPY, file), 'utf8');
    assert.equal(was.split(mark).length, 2, `${file} has it once: ${mark}`);
    if (!this.#before.has(file)) this.#before.set(file, was);
    writeFileSync(
      join(COPY, file),
      was.replace(mark, () => (where === 'before' ? text + mark : mark + text)),
    );
  }

  write(file: string, text: string): void {
    const path = join(COPY, file);
    if (!this.#before.has(file)) this.#before.set(file, existsSync(path) ? readFileSync(path, 'utf8') : null);
    writeFileSync(path, text);
  }

  get files(): readonly string[] {
    return [...this.#before.keys()].sort();
  }

  undo(): void {
    for (const [file, text] of this.#before)
      if (text === null) rmSync(join(COPY, file));
      else writeFileSync(join(COPY, file), text);
  }
}

/** A file of the copy. */
export const inCopy = (file: string): string => join(COPY, file);
