// SPDX-License-Identifier: MIT
/** Charts over time. Lines and colours are SVG that stretches; words and figures are HTML beside it, readable at any width. */

import { HEAT_ROWS, heatRowStart, OUTCOMES, type Outcome, type Timeline } from '../core/aggregate/timeline.js';
import { formatCount, formatDuration, formatExact } from '../core/present/format.js';
import type { WaitKind } from '../core/vocabulary/waits.js';
import { Html, html, table } from './html.js';
import { OUTCOME_COLOURS } from './style.js';

const TITLES: Readonly<Record<Outcome, string>> = {
  success: 'success under the VMA lock',
  retry: 'RETRY',
  completed: 'COMPLETED',
  abort: 'ABORT',
  error: 'error',
  kernelMode: 'kernel-mode',
};

const MAX_TABLE_ROWS = 24;

function timeText({ startNs }: Timeline, ns: number): string {
  return ns === 0 ? '0' : formatDuration(startNs + ns);
}

/** Beginning, middle and end of the time axis. */
function timeLabels(timeline: Timeline): Html {
  const end = timeline.startNs + timeline.slices * timeline.sliceNs;
  const labels = [0, 0.25, 0.5, 0.75, 1].map((at) => at * (end - timeline.startNs)).map((ns) => timeText(timeline, ns));
  return html`<div class="x" aria-hidden="true">${labels.map((label) => html`<span>${label}</span>`)}</div>`;
}

function plot(y: readonly string[], svg: Html, timeline: Timeline): Html {
  return html`<div class="plot"><div class="y" aria-hidden="true">${y.map((label) => html`<span>${label}</span>`)}</div>
${svg}
${timeLabels(timeline)}</div>`;
}

/** Faults per second by outcome, stacked; null where none was counted. */
export function outcomeChart(timeline: Timeline): Html | null {
  const shown = OUTCOMES.filter((outcome) => timeline.outcomes[outcome].some((count) => count > 0));
  const totals = Array.from({ length: timeline.slices }, (_, i) =>
    shown.reduce((sum, outcome) => sum + (timeline.outcomes[outcome][i] ?? 0), 0),
  );
  const top = Math.max(0, ...totals);
  if (top === 0) return null;
  const height = 1000;
  const bases = new Float64Array(timeline.slices);
  const bars = shown.map((outcome) => {
    const path = Array.from(timeline.outcomes[outcome], (count, i) => {
      const base = bases[i] ?? 0;
      bases[i] = base + count;
      if (count <= 0) return '';
      const y = Math.round(height * (1 - (base + count) / top));
      // An outcome that occurred is drawn, however rare.
      const h = Math.max(4, Math.round((height * count) / top));
      return `M${i} ${y}h1v${h}h-1z`;
    }).join('');
    return html`<path fill="${OUTCOME_COLOURS[outcome] ?? 'currentColor'}" d="${path}"/>`;
  });
  const perSecond = 1e9 / timeline.sliceNs;
  const svg = html`<svg viewBox="0 0 ${timeline.slices} ${height}" preserveAspectRatio="none" style="height:14rem" role="img" aria-label="Faults per second by outcome over time; the same figures are in the table below">${bars}</svg>`;
  const legend = shown.map((outcome) => {
    const sum = timeline.outcomes[outcome].reduce((all, count) => all + count, 0);
    return html`<li><span class="swatch" style="background:${OUTCOME_COLOURS[outcome] ?? ''}"></span>${TITLES[outcome]} ${formatExact(Math.round(sum))}</li>`;
  });
  const labels = [1, 0.5, 0].map((share) => `${formatCount(Math.round(top * share * perSecond))}/s`);
  return html`<figure><figcaption>Faults per second</figcaption>
<ul class="legend">${legend}</ul>
${plot(labels, svg, timeline)}
<details><summary>Outcomes over time as a table</summary>${outcomeTable(timeline, shown)}</details></figure>`;
}

function outcomeTable(timeline: Timeline, shown: readonly Outcome[]): Html {
  const step = Math.max(1, Math.ceil(timeline.slices / MAX_TABLE_ROWS));
  const starts = Array.from({ length: Math.ceil(timeline.slices / step) }, (_, row) => row * step);
  const count = (outcome: Outcome, from: number): string =>
    formatExact(Math.round(timeline.outcomes[outcome].subarray(from, from + step).reduce((sum, n) => sum + n, 0)));
  return table(`Faults in each ${formatDuration(step * timeline.sliceNs)}`, starts, [
    { title: 'from', get: (from: number) => timeText(timeline, from * timeline.sliceNs) },
    ...shown.map((outcome) => ({
      title: TITLES[outcome],
      figure: true as const,
      get: (from: number) => count(outcome, from),
    })),
  ]);
}

/** Waits of one kind by length over time; null when there was none. */
export function heatMap(timeline: Timeline, kind: WaitKind, title: string, figures: string): Html | null {
  const cells = timeline.waits[kind];
  if (cells === undefined) return null;
  let low = HEAT_ROWS;
  let high = -1;
  let most = 0;
  for (const [at, count] of cells.entries()) {
    if (count === 0) continue;
    const row = at % HEAT_ROWS;
    low = Math.min(low, row);
    high = Math.max(high, row);
    most = Math.max(most, count);
  }
  if (high < 0) return null;
  const rows = high - low + 1;
  const rects: Html[] = [];
  for (const [at, count] of cells.entries()) {
    if (count === 0) continue;
    // By the logarithm: one wait among thousands is still seen.
    const shade = 0.2 + 0.8 * (Math.log1p(count) / Math.log1p(most));
    rects.push(
      new Html(
        `<rect x="${Math.floor(at / HEAT_ROWS)}" y="${high - (at % HEAT_ROWS)}" width="1" height="1" opacity="${shade.toFixed(2)}"/>`,
      ),
    );
  }
  const name = `${title} by length over time: ${figures}; the darker, the more, up to ${formatExact(most)} in ${formatDuration(timeline.sliceNs)}`;
  const svg = html`<svg class="heat" viewBox="0 0 ${timeline.slices} ${rows}" preserveAspectRatio="none" style="height:${Math.max(4, Math.min(12, rows))}rem" role="img" aria-label="${name}">${rects}</svg>`;
  const top = high === HEAT_ROWS - 1 ? '> 4 s' : formatDuration(heatRowStart(high + 1));
  const middle = formatDuration(heatRowStart(low + Math.round(rows / 2)));
  return html`<figure><figcaption>${title}</figcaption>
<p class="soft">${figures}; the darker, the more: up to ${formatExact(most)} in ${formatDuration(timeline.sliceNs)}</p>
${plot([top, ...(rows > 3 ? [middle] : []), formatDuration(heatRowStart(low))], svg, timeline)}</figure>`;
}
