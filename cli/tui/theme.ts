// SPDX-License-Identifier: MIT
/**
 * How meanings look. The 256-colour palette is after Okabe and Ito (distinct to any colour vision), in tones that
 * read on dark and on light backgrounds; the default background is never painted over. What a colour says, a word or
 * a mark beside it says too, so that the dashboard loses nothing under NO_COLOR.
 */
import type { Line, Style } from '../../src/core/present/text.js';

export type Colours = 0 | 16 | 256;

/** SGR parameters for: no colours, 16 colours, 256 colours. */
const THEME: Readonly<Record<Style, readonly [string, string, string]>> = {
  plain: ['', '', ''],
  dim: ['', '90', '38;5;245'],
  strong: ['1', '1', '1'],
  border: ['', '90', '38;5;242'],
  title: ['1;7', '1;30;46', '1;38;5;231;48;5;24'],
  focus: ['1', '36', '38;5;74'],
  head: ['4', '4;90', '4;38;5;245'],
  selected: ['7', '7', '38;5;231;48;5;24'],
  key: ['1', '1;36', '1;38;5;74'],
  good: ['', '32', '38;5;36'],
  retry: ['1', '33', '38;5;208'],
  completed: ['', '36', '38;5;74'],
  abort: ['', '35', '38;5;175'],
  kernel: ['', '34', '38;5;68'],
  bad: ['1', '1;31', '1;38;5;203'],
  live: ['1', '1;32', '1;38;5;36'],
  paused: ['1;7', '1;30;43', '1;38;5;16;48;5;208'],
  ended: ['1', '1;36', '1;38;5;74'],
};

/** A line as text with SGR sequences, back to the default at its end. */
export function paint(line: Line, colours: Colours): string {
  const column = colours === 0 ? 0 : colours === 16 ? 1 : 2;
  let out = '';
  let open = '';
  for (const { text, style } of line) {
    const code = THEME[style][column];
    if (code !== open) {
      // Each style starts from nothing: leftovers of the one before would mix in.
      out += code === '' ? '\x1b[0m' : open === '' ? `\x1b[${code}m` : `\x1b[0m\x1b[${code}m`;
      open = code;
    }
    out += text;
  }
  return open === '' ? out : `${out}\x1b[0m`;
}

/** The colour of a style as the chart library takes it: a number of the 256, or a name. */
export function chartColour(style: Style, colours: Colours): number | string {
  if (colours === 256) return Number(/38;5;(\d+)/.exec(THEME[style][2])?.[1] ?? 74);
  const digit = /3([0-7])(?:$|;)/.exec(THEME[style][1])?.[1] ?? '6';
  return ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'][Number(digit)] ?? 'cyan';
}

/** How many colours to use: what the terminal has, none where the person said so (no-color.org). */
export function coloursFor(terminalColours: number, env: Readonly<Record<string, string | undefined>>): Colours {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return 0;
  if (terminalColours >= 256 || env.COLORTERM === 'truecolor' || env.COLORTERM === '24bit') return 256;
  return terminalColours >= 8 ? 16 : 0;
}
