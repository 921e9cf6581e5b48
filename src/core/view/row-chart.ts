// SPDX-License-Identifier: MIT
/** Where a list leaves room: the selected row over time. */
import type { LostSeries } from '../aggregate/lost-series.js';
import { type Line, sanitise, seg } from '../present/text.js';
import { isRetryCause } from '../vocabulary/causes.js';
import { above, type Block, panel } from './layout.js';
import type { Figures } from './list.js';
import { listBox, rowsOf, selectedIn } from './list-box.js';
import { rateChart } from './rate-chart.js';
import { causeLines } from './rows.js';
import type { ListId } from './state.js';

/** From here on a list has room to spare. */
const LEAST_HEIGHT = 30;
const CHART_ROWS = 11;
const MOST_SLICES = 240;

interface RowSeries {
  readonly name: string;
  readonly style: 'retry' | 'abort';
  readonly series: LostSeries | null;
}

/** Of the row with this key in a list that has series. */
function seriesOf(list: ListId, key: string | null, figures: Figures): RowSeries | null {
  const { now } = figures;
  switch (list) {
    case 'processes': {
      const row = now.processes.find(({ tgid }) => String(tgid) === key);
      return row === undefined ? null : { name: `${row.comm} ${row.tgid}`, style: 'retry', series: row.lost };
    }
    case 'vmas': {
      const row = now.vmas.find(({ mm, start }) => `${mm}:${start}` === key);
      return row === undefined ? null : { name: row.start.toString(16), style: 'retry', series: row.lost };
    }
    case 'causes': {
      const row = causeLines(figures).find(({ cause }) => cause === key);
      if (row === undefined) return null;
      return { name: row.cause, style: isRetryCause(row.cause) ? 'retry' : 'abort', series: row.cost?.lost ?? null };
    }
    default:
      return null;
  }
}

export function rowChart(list: ListId, figures: Figures, width: number, height: number): Block {
  const rows = rowsOf(list, figures);
  const found = seriesOf(list, rows.keyAt(selectedIn(list, rows, figures.state)), figures);
  const series = found?.series ?? null;
  if (found === null || series === null) {
    const none: Line = [
      seg(found === null ? 'no row with a graph is selected' : 'none of its faults lost the VMA lock', 'dim'),
    ];
    return panel({ title: [seg('Selected row', 'strong')] }, [none], width, height);
  }
  let group = 1;
  while (figures.now.time / (series.sliceNs * group) > MOST_SLICES) group *= 2;
  const sliceNs = series.sliceNs * group;
  const timeline = { sliceNs, startNs: 0, slices: Math.floor(Math.max(0, figures.now.time) / sliceNs) + 1 };
  const of = (slice: number): number => {
    let sum = 0;
    for (let i = slice * group; i < (slice + 1) * group; i++) sum += series.counts[i] ?? 0;
    return sum;
  };
  return rateChart(
    { title: `VMA locks lost or not taken/s: ${sanitise(found.name)}`, style: found.style, timeline, of },
    width,
    height,
  );
}

/** A list with the graph of its selected row below, where it has room for both. */
export function charted(list: ListId, figures: Figures, width: number, height: number): Block {
  if (height < LEAST_HEIGHT) return listBox(list, figures, width, height);
  return above(listBox(list, figures, width, height - CHART_ROWS), rowChart(list, figures, width, CHART_ROWS));
}
