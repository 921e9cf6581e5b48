// SPDX-License-Identifier: MIT
/** TOML files whose every value knows its line, so that an error can name it. */
import { readFile } from 'node:fs/promises';
import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser';
import { ExitCode, fileError, UserError } from '../errors.js';
import { pathText } from './path.js';
import { Section } from './section.js';

/** Reads a file into its top table. Rejects with a `UserError` (exit code 2) that names the file, and the line. */
export async function readToml(path: string): Promise<Section> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError(`cannot read ${path}`, error);
  });
  return parseToml(text, path);
}

/** `file`: what errors call it. */
export function parseToml(text: string, file: string): Section {
  try {
    const program = parseTOML(text, { tomlVersion: '1.0' });
    const lines = new Map<string, number>();
    for (const node of program.body[0].body) locate(node, [], lines);
    return new Section({ file, lines }, [], getStaticTOMLValue(program) as Record<string, unknown>);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new UserError(
      `cannot read ${file}`,
      `line ${error.lineNumber}: ${error.message}`,
      'it must be TOML 1.0 (https://toml.io)',
      ExitCode.Usage,
      { cause: error },
    );
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
