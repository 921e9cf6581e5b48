// SPDX-License-Identifier: MIT
/**
 * Turns a terminal capture into SVG: `tmux capture-pane -e -p | node dist/scripts/screenshot.js > screen.svg`.
 *
 * Text stands on an exact grid whatever font the reader has; boxes, bars and braille are drawn as shapes, because
 * fonts leave gaps between them.
 */
import { text as readAll } from 'node:stream/consumers';
import { sanitise, textWidth } from '../src/core/present/text.js';

const CELL_W = 8;
const CELL_H = 17;
const MARGIN = 12;
const BACKGROUND = '#14171c';
const FOREGROUND = '#d5d9df';
/** The first sixteen colours, as many terminals have them by default. */
const BASE =
  '#1d1f21 #cc6666 #7fb069 #e0a84b #6f9fd8 #b48ead #5fb3b3 #c5c8c6 #7a808a #e88080 #a3d18a #f5c97a #8fbcf0 #d0a8d8 #86d0d0 #ffffff'.split(
    ' ',
  );

interface Pen {
  fg: string | null;
  bg: string | null;
  bold: boolean;
  underline: boolean;
  inverse: boolean;
}

const plainPen = (): Pen => ({ fg: null, bg: null, bold: false, underline: false, inverse: false });

/** A colour of xterm's palette: sixteen base colours, a cube of six levels, a ramp of greys. */
function indexed(n: number): string {
  if (n < 16) return BASE[n] ?? FOREGROUND;
  const rgb = (r: number, g: number, b: number): string =>
    `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}`;
  if (n >= 232) return rgb(8 + (n - 232) * 10, 8 + (n - 232) * 10, 8 + (n - 232) * 10);
  const level = (v: number): number => (v === 0 ? 0 : 55 + v * 40);
  const i = n - 16;
  return rgb(level(Math.floor(i / 36)), level(Math.floor(i / 6) % 6), level(i % 6));
}

function applySgr(pen: Pen, codes: readonly number[]): void {
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) Object.assign(pen, plainPen());
    else if (code === 1) pen.bold = true;
    else if (code === 22) pen.bold = false;
    else if (code === 4) pen.underline = true;
    else if (code === 24) pen.underline = false;
    else if (code === 7) pen.inverse = true;
    else if (code === 27) pen.inverse = false;
    else if (code >= 30 && code <= 37) pen.fg = indexed(code - 30);
    else if (code >= 90 && code <= 97) pen.fg = indexed(code - 82);
    else if (code >= 40 && code <= 47) pen.bg = indexed(code - 40);
    else if (code >= 100 && code <= 107) pen.bg = indexed(code - 92);
    else if (code === 39) pen.fg = null;
    else if (code === 49) pen.bg = null;
    else if ((code === 38 || code === 48) && codes[i + 1] === 5) {
      pen[code === 38 ? 'fg' : 'bg'] = indexed(codes[i + 2] ?? 0);
      i += 2;
    }
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeXml = (text: string): string => text.replace(/[&<>]/g, (c) => ESCAPES[c] ?? c);

/** A blank run, a character drawn as a shape, or a word. */
const WORDS = / +|[\u2500-\u259f\u2800-\u28ff]|[^ \u2500-\u259f\u2800-\u28ff]+/g;

/** Which of its four sides a box character reaches: right, left, down, up. Three: they meet in the middle. */
const BOXES: Readonly<Record<string, string>> = {
  '─': 'rl',
  '│': 'du',
  '╭': 'rd',
  '╮': 'ld',
  '╰': 'ru',
  '╯': 'lu',
  '═': 'rl',
  '║': 'du',
  '╔': 'rd',
  '╗': 'ld',
  '╚': 'ru',
  '╝': 'lu',
  '━': 'rl',
  '└': 'ru',
  '├': 'rdu',
  '┤': 'ldu',
};
/** Braille dots by bit: column, row. */
const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
] as const;

/** A character as a shape at (x, y), or null for one that is text. */
function shape(char: string, x: number, y: number, colour: string): string | null {
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x2588 && code <= 0x258f) {
    return `<rect x="${x}" y="${y + 2}" width="${(CELL_W * (0x2590 - code)) / 8}" height="${CELL_H - 4}" fill="${colour}"/>`;
  }
  if (code >= 0x2591 && code <= 0x2593) {
    const opacity = (code - 0x2590) * 0.25;
    return `<rect x="${x}" y="${y}" width="${CELL_W}" height="${CELL_H}" fill="${colour}" fill-opacity="${opacity}"/>`;
  }
  if (code >= 0x2800 && code <= 0x28ff) {
    const dots = DOTS.filter((_, bit) => ((code >> bit) & 1) === 1);
    const path = dots.map(([c, r]) => `M${x + 1 + c * 4} ${y + 1 + r * 4.25}h2.4v2.4h-2.4z`).join('');
    return `<path d="${path}" fill="${colour}"/>`;
  }
  const sides = BOXES[char];
  if (sides === undefined) return null;
  const [cx, cy] = [x + CELL_W / 2, y + CELL_H / 2];
  const ends: Readonly<Record<string, string>> = {
    r: `${x + CELL_W} ${cy}`,
    l: `${x} ${cy}`,
    d: `${cx} ${y + CELL_H}`,
    u: `${cx} ${y}`,
  };
  const [a = '', b = ''] = sides;
  const straight = sides === 'rl' || sides === 'du';
  const path = straight
    ? `M${ends[a]}L${ends[b]}`
    : sides.length === 3
      ? [...sides].map((side) => `M${cx} ${cy}L${ends[side]}`).join('')
      : `M${ends[a]}Q${cx} ${cy} ${ends[b]}`;
  const weight = '═║╔╗╚╝━'.includes(char) ? 2 : 1;
  return `<path d="${path}" stroke="${colour}" stroke-width="${weight}" fill="none"/>`;
}

function drawRun(run: string, pen: Pen, column: number, row: number): string {
  const [fg, bg] = pen.inverse ? [pen.bg ?? BACKGROUND, pen.fg ?? FOREGROUND] : [pen.fg ?? FOREGROUND, pen.bg];
  const width = textWidth(run) * CELL_W;
  const [x0, y] = [MARGIN + column * CELL_W, MARGIN + row * CELL_H];
  let out = bg === null ? '' : `<rect x="${x0}" y="${y}" width="${width}" height="${CELL_H}" fill="${bg}"/>`;
  const weight = pen.bold ? ' font-weight="bold"' : '';
  // Each word has its place and its length: a font of another width moves no column.
  let x = x0;
  for (const word of run.match(WORDS) ?? []) {
    const columns = textWidth(word) * CELL_W;
    const drawn = shape(word, x, y, fg);
    if (drawn !== null) out += drawn;
    else if (word.trim() !== '') {
      out += `<text x="${x}" y="${y + 13}" textLength="${columns}" fill="${fg}"${weight}>${escapeXml(word)}</text>`;
    }
    x += columns;
  }
  if (pen.underline) out += `<path d="M${x0} ${y + CELL_H - 1.5}h${width}" stroke="${fg}" stroke-opacity="0.6"/>`;
  return out;
}

/** The SVG of a capture: lines of text with SGR sequences. */
export function toSvg(capture: string): string {
  const lines = capture.replace(/\n+$/, '').split('\n');
  const pen = plainPen();
  let columns = 0;
  let body = '';
  lines.forEach((line, row) => {
    let column = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are the input
    for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
      if (part.startsWith('\x1b[')) {
        applySgr(pen, part.slice(2, -1).split(';').map(Number));
      } else if (part !== '') {
        const run = sanitise(part);
        body += drawRun(run, pen, column, row);
        column += textWidth(run);
      }
    }
    columns = Math.max(columns, column);
  });
  const [w, h] = [columns * CELL_W + 2 * MARGIN, lines.length * CELL_H + 2 * MARGIN];
  const font = "font-family=\"'DejaVu Sans Mono','Menlo','Consolas','Liberation Mono',monospace\" font-size=\"13.28\"";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" ${font}>
<title>vmalocktop in a terminal of ${columns} × ${lines.length} characters</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
${body}
</svg>
`;
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  process.stdout.write(toSvg(await readAll(process.stdin)));
}
