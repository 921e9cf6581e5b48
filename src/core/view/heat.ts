// SPDX-License-Identifier: MIT
/** Latency heat map: time to the right, longer waits above, density by glyph, so that it reads without colour. */

import { HEAT_ROWS, heatRowStart, type Timeline } from '../aggregate/timeline.js';
import { formatCount, formatDuration } from '../present/format.js';
import { type Line, pad, seg } from '../present/text.js';
import type { WaitKind } from '../vocabulary/waits.js';

/** From few to many, on a logarithmic scale. */
const GLYPHS = '·░▒▓█';
const LABEL = 7;

export interface Heat {
  readonly lines: Line[];
  /** The glyphs with the counts they begin at; empty when there is nothing. */
  readonly legend: string;
}

/** `height` rows with the axis of time below them. */
export function heatMap(timeline: Timeline, kind: WaitKind, width: number, height: number): Heat {
  const cells = timeline.waits[kind];
  const columns = Math.max(1, width - LABEL - 1);
  const rows = Math.max(1, height - 1);
  if (cells === undefined || timeline.slices === 0) {
    return { lines: [[seg('no such wait has ended in this time', 'dim')]], legend: '' };
  }
  const [from, to] = usedRows(cells);
  // Whole rows only: each line of the map stands for as many powers of two as are needed to fit.
  const merged = Math.max(1, Math.ceil((to - from) / rows));
  const bands = Math.ceil((to - from) / merged);
  const counts = bandCounts(cells, timeline.slices, columns, from, merged, bands);
  const most = Math.max(1, ...counts);
  const lines: Line[] = [];
  for (let band = bands - 1; band >= 0; band--) {
    let text = '';
    for (let column = 0; column < columns; column++) text += glyph(counts[band * columns + column] ?? 0, most);
    const label = formatDuration(heatRowStart(from + band * merged));
    lines.push([seg(`${pad(label, LABEL, 'right')}│`, 'dim'), seg(text, 'retry')]);
  }
  lines.push(axisOf(timeline, columns));
  const legend = most < 2 ? '· 1' : `· 1  ${GLYPHS.at(-1)} ${formatCount(most)}`;
  return { lines, legend };
}

/** The rows with anything in them, and one beyond on each side for the eye: [from, to). */
function usedRows(cells: Uint32Array): [number, number] {
  let [from, to] = [HEAT_ROWS, 0];
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] === 0) continue;
    from = Math.min(from, i % HEAT_ROWS);
    to = Math.max(to, (i % HEAT_ROWS) + 1);
  }
  return [Math.max(0, from - 1), Math.min(HEAT_ROWS, to + 1)];
}

function bandCounts(
  cells: Uint32Array,
  slices: number,
  columns: number,
  from: number,
  merged: number,
  bands: number,
): Float64Array {
  const counts = new Float64Array(bands * columns);
  for (let slice = 0; slice < slices; slice++) {
    // Fewer slices than columns: each fills several columns, so that the map always has the full width.
    const first = Math.floor((slice * columns) / slices);
    const last = Math.max(first, Math.ceil(((slice + 1) * columns) / slices) - 1);
    for (let row = from; row < Math.min(HEAT_ROWS, from + bands * merged); row++) {
      const count = cells[slice * HEAT_ROWS + row] ?? 0;
      if (count === 0) continue;
      const band = Math.floor((row - from) / merged);
      for (let column = first; column <= last; column++) {
        const at = band * columns + column;
        counts[at] = (counts[at] ?? 0) + count;
      }
    }
  }
  return counts;
}

function glyph(count: number, most: number): string {
  if (count === 0) return ' ';
  const level = most < 2 ? 0 : Math.floor((Math.log(count) / Math.log(most)) * (GLYPHS.length - 1) + 1e-9);
  return GLYPHS.charAt(Math.max(0, level));
}

/** Time of the left and of the right edge. */
function axisOf({ startNs, slices, sliceNs }: Timeline, columns: number): Line {
  const left = `${formatDuration(startNs)}`;
  const right = `${formatDuration(startNs + slices * sliceNs)}`;
  const gap = columns - left.length - right.length;
  const text = gap > 0 ? left + '─'.repeat(gap) + right : pad(right, columns, 'right');
  return [seg(`${' '.repeat(LABEL)}└`, 'dim'), seg(text, 'dim')];
}
