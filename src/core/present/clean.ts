// SPDX-License-Identifier: MIT
/**
 * Where text leaves. Names come from anybody who may set them (prctl(PR_SET_NAME), a path, a recording's head), so what goes to
 * a terminal, a log or a table goes through here: no name ends a line, moves a cursor or turns the text around it.
 */

declare const clean: unique symbol;

/** Text that may leave: made here alone, so that the compiler names who forgot. */
export type CleanText = string & { readonly [clean]: true };

/** C0 and C1 controls, invisible and bidi marks, line and paragraph separators, half surrogates. */
const HARMFUL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** In JSON the same, but for what JSON.stringify has escaped already and the white space it lays documents out with. */
const HARMFUL_IN_JSON = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu;
/** What a spreadsheet takes for a formula (`=cmd|…`), also behind white space it strips. */
const FORMULA = /^[\s]*[=+\-@]/;

/** `text` as it may stand within a line: what would not show is `?`. */
export function cleanLine(text: string): string {
  return text.replace(HARMFUL, '?');
}

/** Lines as text; each ends its line, and nothing within it does. */
export function textOf(lines: readonly string[]): CleanText {
  return lines.map((line) => `${cleanLine(line)}\n`).join('') as CleanText;
}

/** Blocks of lines with an empty line before, between and behind them; empty blocks leave nothing. */
export function blocksOf(blocks: readonly (readonly string[])[]): CleanText {
  const full = blocks.filter((block) => block.length > 0);
  return textOf([...full.flatMap((block) => ['', ...block]), '']);
}

/** A JSON document and the end of its line. Escapes are JSON's own: its reader gets every name as it was. */
export function jsonOf(value: unknown, replacer?: (key: string, value: unknown) => unknown, indent = 0): CleanText {
  const text = JSON.stringify(value, replacer, indent).replace(HARMFUL_IN_JSON, escapeUnits);
  return `${text}\n` as CleanText;
}

function escapeUnits(char: string): string {
  let out = '';
  for (let i = 0; i < char.length; i++) out += `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return out;
}

/**
 * A cell of CSV (RFC 4180). null is nothing at all, an empty text `""`. A text a spreadsheet would compute gets a `'` in
 * front, which makes a spreadsheet take it for text.
 */
export function csvCell(value: string | number | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = cleanLine(FORMULA.test(value) ? `'${value}` : value);
  return text === '' || /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
