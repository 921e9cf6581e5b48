// SPDX-License-Identifier: MIT
/** What is compared: figures that are a sum over a sum, and percentiles; each from the slices of both recordings. */

import { key, OUTCOMES } from '../aggregate/series/collector.js';
import { LogHistogram } from '../aggregate/series/log-histogram.js';
import type { Cell } from '../aggregate/series/series.js';
import type { SessionInfo } from '../events/session.js';
import { whyNoWait } from '../present/wait-hooks.js';
import { WAIT_FACTS, WAIT_KINDS, type WaitKind } from '../vocabulary/waits.js';

export type Group = 'outcome' | 'cause' | 'verdict' | 'wait' | 'percentile' | 'process';

/** `numerator / denominator` summed over slices is the figure. One row per slice of each recording. */
export interface Ratio {
  readonly a: readonly (readonly [numerator: number, denominator: number])[];
  readonly b: readonly (readonly [numerator: number, denominator: number])[];
}

export interface Figure {
  /** Stable: `wait-ns/folio`, `percentile/folio/0.99`. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  /** `count`: events per fault and per second; `ns`: time per fault; `percentile`: ns. */
  readonly unit: 'count' | 'ns' | 'percentile';
  /** Totals; of a percentile: the percentile. null: not observed in that recording. */
  readonly a: number | null;
  readonly b: number | null;
  readonly ratio: Ratio;
}

export interface Sliced {
  readonly session: SessionInfo;
  readonly cells: readonly Cell[];
}

/** Fewer events than this in both recordings together say nothing, and testing them costs the others their power. */
const MIN_EVENTS = 10;
const PERCENTILES: readonly number[] = [0.5, 0.99];
/** A percentile needs values beyond it. */
const MIN_BEYOND = 5;

export function figuresOf(a: Sliced, b: Sliced): Figure[] {
  const sums = new Set([...a.cells, ...b.cells].flatMap((cell) => [...cell.sums.keys()]));
  const figures: Figure[] = [];
  for (const outcome of OUTCOMES) {
    figures.push(perFault(a, b, key.outcome(outcome), 'outcome', `outcome: ${outcome}`, 'count'));
  }
  for (const name of sums) {
    const [kind = '', what = ''] = split(name);
    if (kind === 'cause') figures.push(perFault(a, b, name, kind, what, 'count'));
    else if (kind === 'verdict') figures.push(perFault(a, b, name, kind, `verdict: ${what}`, 'count'));
    else if (kind === 'process') figures.push(processFigure(a, b, name, what));
  }
  for (const kind of WAIT_KINDS) {
    if (!sums.has(key.waits(kind))) continue;
    figures.push(
      hideUnseen(perFault(a, b, key.waitNs(kind), 'wait', `${WAIT_FACTS[kind].title} wait: time`, 'ns'), kind, a, b),
    );
    figures.push(
      hideUnseen(
        perFault(a, b, key.waits(kind), 'wait', `${WAIT_FACTS[kind].title} wait: number`, 'count'),
        kind,
        a,
        b,
      ),
    );
    for (const share of PERCENTILES) {
      const figure = percentile(a, b, kind, share);
      if (figure !== null) figures.push(hideUnseen(figure, kind, a, b));
    }
  }
  return figures.filter(({ unit, a: x, b: y }) => unit !== 'count' || (x ?? 0) + (y ?? 0) >= MIN_EVENTS);
}

function split(name: string): string[] {
  const at = name.indexOf('/');
  return at < 0 ? [name] : [name.slice(0, at), name.slice(at + 1)];
}

function total(cells: readonly Cell[], name: string): number {
  return cells.reduce((sum, cell) => sum + cell.get(name), 0);
}

function perFault(a: Sliced, b: Sliced, name: string, group: Group, title: string, unit: 'count' | 'ns'): Figure {
  const rows = (cells: readonly Cell[]): [number, number][] =>
    cells.map((cell) => [cell.get(name), cell.get(key.faults)]);
  return {
    id: name,
    group,
    title,
    unit,
    a: total(a.cells, name),
    b: total(b.cells, name),
    ratio: { a: rows(a.cells), b: rows(b.cells) },
  };
}

function processFigure(a: Sliced, b: Sliced, name: string, what: string): Figure {
  const [measure = '', comm = ''] = split(what);
  const waits = measure === 'waitNs';
  return perFault(a, b, name, 'process', `${comm}: ${waits ? 'time in waits' : measure}`, waits ? 'ns' : 'count');
}

/** What one side had no hook for is not zero there. */
function hideUnseen(figure: Figure, kind: WaitKind, a: Sliced, b: Sliced): Figure {
  return {
    ...figure,
    a: whyNoWait(a.session, kind) === '' ? figure.a : null,
    b: whyNoWait(b.session, kind) === '' ? figure.b : null,
  };
}

/**
 * A percentile as a ratio: which share of either side's waits lies above the percentile of both together.
 * When the distributions are one, the shares are one too (Mood's median test, for slices instead of single waits).
 */
function percentile(a: Sliced, b: Sliced, kind: WaitKind, share: number): Figure | null {
  const all = merged([...a.cells, ...b.cells], kind);
  const ofA = merged(a.cells, kind);
  const ofB = merged(b.cells, kind);
  if (ofA.count === 0 || ofB.count === 0) return null;
  if (Math.min(ofA.count, ofB.count) * (1 - share) < MIN_BEYOND) return null;
  const bucket = all.percentileBucket(share);
  const rows = (cells: readonly Cell[]): [number, number][] =>
    cells.map((cell) => {
      const histogram = cell.histograms.get(kind);
      return histogram === undefined ? [0, 0] : [histogram.above(bucket), histogram.count];
    });
  return {
    id: `percentile/${kind}/${share}`,
    group: 'percentile',
    title: `${WAIT_FACTS[kind].title} wait: p${share * 100}`,
    unit: 'percentile',
    a: ofA.percentile(share),
    b: ofB.percentile(share),
    ratio: { a: rows(a.cells), b: rows(b.cells) },
  };
}

/** Values of one histogram over all slices. */
export function merged(cells: readonly Cell[], kind: string): LogHistogram {
  const out = new LogHistogram();
  for (const cell of cells) {
    const histogram = cell.histograms.get(kind);
    if (histogram !== undefined) out.merge(histogram);
  }
  return out;
}
