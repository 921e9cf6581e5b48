// SPDX-License-Identifier: MIT
/**
 * Styled text in terminal columns: what every view is made of.
 *
 * Names come from the kernel (`comm` is 16 bytes anyone may set by prctl), so nothing here trusts a string:
 * what could move the cursor, or whose width terminals disagree on, becomes one `?`.
 */
import { eastAsianWidthType } from 'get-east-asian-width';

/** What a segment means, never how it looks: a theme gives colours, and each meaning also has its word or mark. */
export type Style =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'border'
  | 'title'
  | 'focus'
  | 'head'
  | 'selected'
  | 'key'
  | 'good'
  | 'retry'
  | 'completed'
  | 'abort'
  | 'kernel'
  | 'bad'
  | 'live'
  | 'paused'
  | 'ended';

export interface Segment {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Segment[];

export function seg(text: string, style: Style = 'plain'): Segment {
  return { text, style };
}

/** A wide or narrow character of the basic plane that terminals agree on. Emoji, combining and bidi marks are not. */
function charWidth(char: string): 0 | 1 | 2 {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x7f) return code < 0x20 ? 0 : 1;
  // Boxes, bars and braille: most of what is not ASCII in a frame.
  if ((code >= 0x2500 && code <= 0x259f) || (code >= 0x2800 && code <= 0x28ff)) return 1;
  if (code > 0xffff || code < 0xa0 || code === 0xad || /[\p{M}\p{C}\p{Z}\p{Emoji_Presentation}]/u.test(char)) return 0;
  const type = eastAsianWidthType(code);
  const wide = type === 'fullwidth' || type === 'wide';
  // Within the wide blocks a few are narrow by the table alone (circled numbers on black squares): disputed again.
  if (wide || isAgreedWide(code)) return wide && isAgreedWide(code) ? 2 : 0;
  // Conjoining Hangul vowels and final consonants, and an Arabic mark: narrow by the table, nothing on a screen.
  const vanishing = (code >= 0x1160 && code <= 0x11ff) || (code >= 0xd7b0 && code <= 0xd7fb) || code === 0x6de;
  return vanishing ? 0 : 1;
}

/**
 * What every terminal of the last ten years draws two columns wide: Hangul, kana, ideographs, full-width forms.
 * Characters added to these blocks since (Unicode 10 and later) are left out: blessed and older terminals disagree.
 */
const AGREED_WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x2fd5],
  [0x3000, 0x303e],
  [0x3041, 0x312d],
  [0x3131, 0x31ba],
  [0x31c0, 0x31e3],
  [0x31f0, 0x32fe],
  [0x3300, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
];

function isAgreedWide(code: number): boolean {
  return AGREED_WIDE.some(([first, last]) => code >= first && code <= last);
}

const ASCII = /^[\x20-\x7e]*$/;

/** `text` with every character that has no agreed width, and every control character, shown as `?`. */
export function sanitise(text: string): string {
  if (ASCII.test(text)) return text;
  let out = '';
  for (const char of text) out += charWidth(char) === 0 ? '?' : char;
  return out;
}

/** Terminal columns of a sanitised text. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const char of text) width += charWidth(char) === 2 ? 2 : 1;
  return width;
}

/** The longest beginning of a sanitised text in `width` columns; `…` stands for what was cut. */
export function cut(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let out = '';
  let used = 0;
  for (const char of text) {
    const w = charWidth(char) === 2 ? 2 : 1;
    if (used + w > width - 1) break;
    out += char;
    used += w;
  }
  return `${out}…`;
}

/** The longest end of a sanitised text in `width` columns; `…` stands for what was cut. */
export function cutStart(text: string, width: number): string {
  let from = 0;
  const chars = [...text];
  let used = textWidth(text);
  if (used <= width) return text;
  if (width <= 0) return '';
  for (; from < chars.length && used > width - 1; from++) used -= charWidth(chars[from] as string) === 2 ? 2 : 1;
  return `…${chars.slice(from).join('')}`;
}

/** `text` in exactly `width` columns. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fitted = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - textWidth(fitted)));
  return align === 'left' ? fitted + space : space + fitted;
}

export function lineWidth(line: Line): number {
  let width = 0;
  for (const segment of line) width += textWidth(segment.text);
  return width;
}

/** `line` in exactly `width` columns: cut, or filled with blanks in `fill`. */
export function fitLine(line: Line, width: number, fill: Style = 'plain'): Line {
  const out: Segment[] = [];
  let left = width;
  for (const segment of line) {
    if (left <= 0) break;
    const text = cut(segment.text, left);
    out.push(text === segment.text ? segment : seg(text, segment.style));
    left -= textWidth(text);
    if (text !== segment.text) break;
  }
  if (left > 0) out.push(seg(' '.repeat(left), fill));
  return out;
}

/** `left` and `right` at the two edges of `width` columns; `right` goes first when there is no room for both. */
export function spread(left: Line, right: Line, width: number): Line {
  const gap = width - lineWidth(left) - lineWidth(right);
  return gap >= 1 ? [...left, seg(' '.repeat(gap)), ...right] : fitLine(left, width);
}

/** A bar of `width` columns, `share` of it filled to an eighth of a column. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * width * 8);
  // Something is never drawn as nothing.
  const filled = share > 0 && eighths === 0 ? 1 : eighths;
  const full = '█'.repeat(filled >> 3);
  const rest = filled & 7;
  return pad(full + (rest === 0 ? '' : ' ▏▎▍▌▋▊▉'.charAt(rest)), width);
}

/** The plain characters of a line, for text output and tests. */
export function plainText(line: Line): string {
  return line.map((segment) => segment.text).join('');
}

/** `text` in lines of at most `width` columns, broken between words; a longer word has a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** `line` in lines of at most `width` columns, broken between its segments; a longer one has a line of its own. */
export function wrapLine(line: Line, width: number): Line[] {
  const lines: Segment[][] = [[]];
  let used = 0;
  for (const segment of line) {
    const columns = textWidth(segment.text);
    // A word and its figure stay together: a break comes before a segment that begins with blanks.
    if (used > 0 && used + columns > width && segment.text.startsWith(' ')) {
      lines.push([]);
      used = 0;
      const text = segment.text.trimStart();
      lines.at(-1)?.push(seg(text, segment.style));
      used += textWidth(text);
      continue;
    }
    lines.at(-1)?.push(segment);
    used += columns;
  }
  return lines;
}
