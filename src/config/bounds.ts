// SPDX-License-Identifier: MIT
/** How large and how deep a configuration may be. Asked of the text: the parser recurses, and takes time in the square of a key's parts. */

/** A set of a hundred rules has 30 kB. */
export const MAX_BYTES: number = 2 ** 18;
/** Lists and tables inside each other, and parts of one dotted key: what is read here has four. */
const MAX_DEPTH = 32;

const STRINGS = ['"""', "'''", '"', "'"] as const;

/** Where the string that opens at `at` with `quote` ends: behind its closing quote, or at the end of the line or the text. */
function endOfString(text: string, at: number, quote: string): number {
  const escapes = quote.startsWith('"');
  for (let i = at + quote.length; i < text.length; i++) {
    if (escapes && text[i] === '\\') i++;
    else if (text.startsWith(quote, i)) return i + quote.length;
    else if (quote.length === 1 && text[i] === '\n') return i;
  }
  return text.length;
}

/** The line at which the text nests deeper, or has a key of more parts, than any configuration does; null for none. */
export function tooDeepAt(text: string): number | null {
  let line = 1;
  let depth = 0;
  let parts = 0;
  for (let i = 0; i < text.length; ) {
    const quote = STRINGS.find((it) => text.startsWith(it, i));
    if (quote !== undefined) {
      const end = endOfString(text, i, quote);
      line += text.slice(i, end).split('\n').length - 1;
      i = end;
      continue;
    }
    const char = text[i++];
    if (char === '#') {
      const end = text.indexOf('\n', i);
      i = end === -1 ? text.length : end;
    } else if (char === '\n') {
      line++;
      parts = 0;
    } else if (char === '.') {
      parts++;
    } else if (char === '[' || char === '{') {
      depth++;
      parts = 0;
    } else if (char === ']' || char === '}') {
      depth = Math.max(0, depth - 1);
      parts = 0;
    } else if (char === '=' || char === ',') {
      parts = 0;
    }
    if (depth > MAX_DEPTH || parts > MAX_DEPTH) return line;
  }
  return null;
}
