// SPDX-License-Identifier: MIT
/** A rate over time in a box: what it counts in the title and by its colour, the axis of time in the lower border. */
import { formatDuration, formatRate } from '../present/format.js';
import { type Line, type Style, seg } from '../present/text.js';
import { BOX_ROWS, box } from './frame.js';
import { type Block, block, type Chart } from './layout.js';

/** Columns of a chart that are no points: border, labels, and what its line may overshoot. A column has two points. */
const AXIS_COLUMNS = 10;

export interface RateChart {
  /** What is counted, per second. */
  readonly title: string;
  readonly style: Style;
  /** Times in ns since the session's base. */
  readonly timeline: { readonly sliceNs: number; readonly startNs: number; readonly slices: number };
  /** Count of a slice. */
  of(slice: number): number;
}

/** At most `most` values, each the mean of as many neighbours. */
function means(values: readonly number[], most: number): number[] {
  const group = Math.max(1, Math.ceil(values.length / Math.max(1, most)));
  return Array.from({ length: Math.ceil(values.length / group) }, (_, i) => {
    const part = values.slice(i * group, (i + 1) * group);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

export function rateChart({ title, style, timeline, of }: RateChart, width: number, height: number): Block {
  const { sliceNs, startNs } = timeline;
  // The newest slice is not over yet: its rate would always dip.
  const slices = Math.max(0, timeline.slices - 1);
  const rates = means(
    Array.from({ length: slices }, (_, i) => (of(i) * 1e9) / sliceNs),
    2 * (width - AXIS_COLUMNS),
  );
  const most = Math.max(0, ...rates);
  const [by, unit] = most >= 5e6 ? [1e6, ', millions'] : most >= 5e3 ? [1e3, ', thousands'] : [1, ''];
  const heading = [seg(title, style), seg(unit, 'dim')];
  const info: Line = slices === 0 ? [] : [seg('most ', 'dim'), seg(formatRate(most), 'strong')];
  const foot = {
    left: [seg(formatDuration(startNs), 'dim')],
    right: [seg(formatDuration(startNs + slices * sliceNs), 'dim')],
  };
  const inner = { left: 1, top: 1, width: width - 2, height: height - BOX_ROWS };
  const charts: Chart[] = slices < 2 ? [] : [{ ...inner, style, values: rates.map((rate) => rate / by) }];
  const body: Line[] = charts.length > 0 ? [] : [[seg('not enough figures yet', 'dim')]];
  const options = slices < 2 ? { title: heading, info } : { title: heading, info, foot };
  return block(width, box(options, body, width, height), { charts });
}
