// SPDX-License-Identifier: MIT
/** TOML files whose every value knows its line, so that an error can name it. */
import type { Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';
import { ExitCode, errorCode, fileError, UserError } from '../errors.js';
import { MAX_BYTES, tooDeepAt } from './bounds.js';
import { pathText } from './path.js';
import { Section } from './section.js';

/**
 * Reads a file into its top table. Rejects with a `UserError` (exit code 2) that names the file, and the line.
 * `held`: the file as it was opened before, for when it may no longer be; it stays open. `accept` throws where what was
 * opened is not to be read.
 */
export async function readToml(
  path: string,
  held: FileHandle | null = null,
  accept: (found: Stats) => void = () => {},
): Promise<Section> {
  return parseToml(await readText(path, held, accept), path);
}

/** Rejects with the system's errors, or a `UserError` when what is held is no longer the file of that name. */
async function openAgain(path: string, held: FileHandle | null): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (held === null || !['EACCES', 'EPERM'].includes(errorCode(error))) throw error;
    const was = await held.stat();
    // Where not even the directory may be searched, a file that was put in its stead has left it without a name.
    const is = await stat(path).catch(() => null);
    if (is === null ? was.nlink > 0 : is.ino === was.ino && is.dev === was.dev) return held;
    throw new UserError(
      `cannot read ${path}`,
      'another file was put in its place, and that one may not be opened any more',
      'write into the existing file instead, or let privileges.user read the new one',
      ExitCode.Usage,
      { cause: error },
    );
  }
}

/** What is read is bounded, whatever stands behind the name. */
async function readText(path: string, held: FileHandle | null, accept: (found: Stats) => void): Promise<string> {
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw fileError(`cannot read ${path}`, error);
    });
  const file = await guard(openAgain(path, held));
  try {
    accept(await guard(file.stat()));
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = (await guard(file.read(bytes, length, bytes.length - length, held === null ? null : length))).bytesRead;
    if (length > MAX_BYTES) throw refused(path, `it has more than ${MAX_BYTES} bytes`);
    return bytes.toString('utf8', 0, length);
  } finally {
    if (file !== held) await file.close();
  }
}

function refused(file: string, why: string, cause?: unknown): UserError {
  return new UserError(`cannot read ${file}`, why, 'it must be TOML 1.0 (https://toml.io)', ExitCode.Usage, { cause });
}

/** `file`: what errors call it. */
export function parseToml(text: string, file: string): Section {
  const deep = tooDeepAt(text);
  if (deep !== null) throw refused(file, `line ${deep}: nested deeper than any configuration is`);
  try {
    const program = parseTOML(text, { tomlVersion: '1.0' });
    const lines = new Map<string, number>();
    for (const node of program.body[0].body) locate(node, [], lines);
    // The values below are plain objects: such a key would reach into all objects there are.
    for (const [key, line] of lines)
      if (key.split('.').some((part) => Object.hasOwn(Object.prototype, part.replace(/\[\d+\]$/, ''))))
        throw refused(file, `line ${line}: no key may have the name ${key}`);
    return new Section({ file, lines }, [], getStaticTOMLValue(program) as Record<string, unknown>);
  } catch (error) {
    // A value of a hundred thousand characters: the parser puts them on the stack.
    if (error instanceof RangeError) throw refused(file, 'a value is longer than any configuration has', error);
    if (!(error instanceof ParseError)) throw error;
    throw refused(file, `line ${error.lineNumber}: ${error.message}`, error);
  }
}

type Path = readonly (string | number)[];

function keyOf(key: AST.TOMLKey): string[] {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value));
}

/** Notes the line of each key and of each element. */
function locate(
  node: AST.TOMLTable | AST.TOMLKeyValue | AST.TOMLContentNode,
  path: Path,
  lines: Map<string, number>,
): void {
  const note = (at: Path): void => {
    for (let length = 1; length <= at.length; length++) {
      const prefix = pathText(at.slice(0, length));
      if (!lines.has(prefix)) lines.set(prefix, node.loc.start.line);
    }
  };
  switch (node.type) {
    case 'TOMLTable':
      note(node.resolvedKey);
      for (const child of node.body) locate(child, node.resolvedKey, lines);
      return;
    case 'TOMLKeyValue': {
      const at = [...path, ...keyOf(node.key)];
      note(at);
      locate(node.value, at, lines);
      return;
    }
    case 'TOMLArray':
      for (const [i, element] of node.elements.entries()) {
        lines.set(pathText([...path, i]), element.loc.start.line);
        locate(element, [...path, i], lines);
      }
      return;
    case 'TOMLInlineTable':
      for (const child of node.body) locate(child, path, lines);
      return;
    case 'TOMLValue':
      return;
  }
}
