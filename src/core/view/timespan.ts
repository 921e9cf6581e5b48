// SPDX-License-Identifier: MIT
/** One fault on an axis of time: which lock was held when, and what was waited for. */
import type { Attempt, Lifecycle, Wait } from '../lifecycle/lifecycle.js';
import { formatDuration } from '../present/format.js';
import { lockName, placeOf } from '../present/lifecycle.js';
import { type Line, pad, type Style, seg } from '../present/text.js';
import { WAIT_FACTS } from '../vocabulary/waits.js';

const HELD = '█';
/** Within an interval of acquisition or release: held or not, it is not known. */
const MAYBE = '░';
const WAITING = '▒';
export const LEGEND: string = `${HELD} lock held   ${MAYBE} perhaps held: when exactly is not known   ${WAITING} waits`;

const LABEL = 17;
const FIGURE = 24;

interface Scale {
  readonly from: number;
  readonly to: number;
  readonly columns: number;
  /** Width of the names before the bars. */
  readonly label: number;
}

/** Columns [first, last] of a time span; something is never drawn as nothing. null for one outside the axis. */
function columnsOf(scale: Scale, lo: number, hi: number): readonly [number, number] | null {
  const { from, to, columns } = scale;
  const [a, b] = [Math.max(from, lo), Math.min(to, hi)];
  if (!(b >= a)) return null;
  const per = columns / Math.max(1, to - from);
  const first = Math.min(columns - 1, Math.floor((a - from) * per));
  return [first, Math.min(columns - 1, Math.max(first, Math.ceil((b - from) * per) - 1))];
}

function paintSpan(cells: string[], scale: Scale, lo: number, hi: number, glyph: string): void {
  const span = columnsOf(scale, lo, hi);
  if (span !== null) for (let i = span[0]; i <= span[1]; i++) cells[i] = glyph;
}

function row(scale: Scale, label: string, cells: readonly string[], style: Style, figure: string): Line {
  return [
    seg(pad(label, scale.label), 'strong'),
    seg('│', 'dim'),
    seg(pad(cells.join(''), scale.columns), style),
    seg('│', 'dim'),
    seg(` ${figure}`),
  ];
}

/** What is known of an attempt that lasts: it holds its lock until it waits for something without. */
function pendingSpan(attempt: Attempt, waits: readonly Wait[], now: number): { until: number; words: string } {
  const from = attempt.acquired.hi;
  const without = waits.find((wait) => wait.held === 'none' && wait.start >= from);
  if (without === undefined) return { until: now, words: `${formatDuration(now - from)} so far` };
  return { until: without.start, words: `${formatDuration(without.start - from)}, let go` };
}

function attemptRow(attempt: Attempt, index: number, scale: Scale, waits: readonly Wait[], now: number): Line {
  const cells: string[] = new Array(scale.columns).fill(' ');
  const label = `${index + 1} ${lockName(attempt.lock)}`;
  if (attempt.outcome === 'abort') return row(scale, label, cells, 'abort', 'not taken: ABORT');
  const { acquired, released, outcome } = attempt;
  const style: Style = attempt.lock === 'vma' ? 'good' : 'abort';
  if (outcome === 'pending') {
    const { until, words } = pendingSpan(attempt, waits, now);
    paintSpan(cells, scale, acquired.lo, acquired.hi, MAYBE);
    paintSpan(cells, scale, acquired.hi, until, HELD);
    return row(scale, label, cells, style, words);
  }
  const surely = Math.max(Math.min(now, released.lo), acquired.hi);
  paintSpan(cells, scale, surely, Math.min(now, released.hi), MAYBE);
  paintSpan(cells, scale, acquired.lo, acquired.hi, MAYBE);
  if (surely > acquired.hi) paintSpan(cells, scale, acquired.hi, surely, HELD);
  const exact = acquired.lo === acquired.hi && released.lo === released.hi;
  const length = formatDuration(surely - acquired.hi);
  return row(scale, label, cells, style, `${exact ? '' : '≥ '}${length} ${outcome}`);
}

function waitRow(wait: Wait, scale: Scale, inFlight: boolean, now: number): Line {
  const cells: string[] = new Array(scale.columns).fill(' ');
  const open = Number.isNaN(wait.end);
  const end = open ? (inFlight ? now : wait.start) : wait.end;
  paintSpan(cells, scale, wait.start, end, WAITING);
  const length = open
    ? inFlight
      ? `${formatDuration(now - wait.start)} so far`
      : 'end lost'
    : formatDuration(end - wait.start);
  const holds = wait.held === 'none' ? 'no lock' : lockName(wait.held);
  return row(scale, `  ${WAIT_FACTS[wait.kind].title}`, cells, 'retry', `${length}, ${holds}`);
}

/** The axis: its beginning is 0. Below it a row for each attempt and each wait, in the order they began. */
export function timespan(lifecycle: Lifecycle, now: number, width: number): Line[] {
  const l = lifecycle;
  const inFlight = l.how === 'in-flight';
  const end = inFlight ? now : Number.isNaN(l.end) ? l.last : l.end;
  const from = Number.isFinite(l.start.lo) ? Math.min(l.start.lo, l.first) : l.first;
  const label = Math.max(LABEL, ...l.waits.map(({ kind }) => WAIT_FACTS[kind].title.length + 3));
  const columns = Math.max(10, width - label - FIGURE - 2);
  const scale: Scale = { from, to: Math.max(end, from + 1), columns, label };
  const rows = [
    ...l.attempts.map((attempt, i) => ({
      at: attempt.acquired.hi,
      line: attemptRow(attempt, placeOf(l, 'attempts', i), scale, l.waits, end),
    })),
    ...l.waits.map((wait) => ({ at: wait.start, line: waitRow(wait, scale, inFlight, now) })),
  ];
  // An ABORT has no time of its own: it stands where it is in the list.
  const order = (at: number): number => (Number.isFinite(at) ? at : from);
  rows.sort((a, b) => order(a.at) - order(b.at));
  return [axis(scale), ...rows.map(({ line }) => line)];
}

function axis(scale: Scale): Line {
  const length = scale.to - scale.from;
  const middle = formatDuration(length / 2);
  const right = formatDuration(length);
  const half = Math.floor((scale.columns - middle.length) / 2);
  const line = `0${' '.repeat(Math.max(1, half - 1))}${middle}`;
  const gap = Math.max(1, scale.columns - line.length - right.length);
  return [seg(' '.repeat(scale.label + 1)), seg(`${line}${' '.repeat(gap)}${right}`, 'dim')];
}
