// SPDX-License-Identifier: MIT
/** Two recordings side by side: what differs, by how much, and whether that is more than noise. */

import { key } from '../series/collector.js';
import type { Series } from '../series/series.js';
import type { SessionInfo } from '../session.js';
import type { Snapshot } from '../snapshot.js';
import { type Figure, figuresOf, type Group, type Sliced } from './figures.js';
import { adjustedP, neighbourCorrelation, PERMUTATIONS } from './permutation.js';
import { type Compared, warningsOf } from './warnings.js';

export interface Recorded extends Compared {
  readonly series: Series;
}

export interface SideValue {
  /** Events, or ns summed; of a percentile the percentile in ns. */
  readonly value: number;
  /** null for a percentile, and where no fault was counted. */
  readonly perFault: number | null;
  readonly perSecond: number | null;
}

export interface DiffRow {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly unit: Figure['unit'];
  /** null: not observed in that recording. */
  readonly a: SideValue | null;
  readonly b: SideValue | null;
  /** B relative to A by what was tested, minus 1; Infinity when A has none; null when it cannot be said. */
  readonly change: number | null;
  /** Adjusted over all figures; null when not tested. */
  readonly p: number | null;
  readonly verdict: 'differs' | 'noise' | 'not tested';
}

export interface DiffSide {
  readonly session: SessionInfo;
  readonly durationNs: number;
  readonly faults: number;
  readonly events: Snapshot['events'];
  readonly lifecycles: Snapshot['lifecycles'];
  readonly truncated: string | null;
}

export interface Diff {
  readonly a: DiffSide;
  readonly b: DiffSide;
  readonly warnings: readonly string[];
  readonly method: {
    /** Slices of either recording; 0 when it was too short to test. */
    readonly slices: number;
    readonly sliceNs: readonly [a: number, b: number];
    readonly permutations: number;
    readonly figures: number;
    /** Mean correlation between neighbouring slices; null when not known. Far above 0 the test names too much. */
    readonly neighbourCorrelation: number | null;
    /** Why nothing was tested; '' when it was. */
    readonly notTested: string;
  };
  /** Rows that differ, what costs most first. */
  readonly findings: readonly DiffRow[];
  readonly rows: readonly DiffRow[];
}

/** Adjusted p below this is called a difference. */
export const ALPHA = 0.05;
/** And so is a change of at least this share: what is smaller is not worth a name, however certain. */
export const MIN_CHANGE = 0.05;

/** Slices to try, from many and short to few and long: longer ones depend less on their neighbours. */
const SLICES: readonly number[] = [24, 16, 12, 8];
/** Counters are sampled four times a second: shorter slices would hold the same sample. */
const MIN_SLICE_NS = 500e6;
const MAX_CORRELATION = 0.25;

/** Pure; a second or so for long lists of figures, whatever the length of the recordings. */
export function compare(a: Recorded, b: Recorded): Diff {
  const cut = slice(a, b);
  const tested = cut.slices > 0 ? cut.figures.filter(isTested) : [];
  const ps = new Map(adjustedP(tested.map(({ ratio }) => ratio)).map((p, i) => [tested[i]?.id, p]));
  const faults = [faultsOf(a), faultsOf(b)] as const;
  const rows = cut.figures.map((figure) => rowOf(figure, ps.get(figure.id) ?? null, faults, [a, b]));
  return {
    a: sideOf(a),
    b: sideOf(b),
    warnings: warningsOf(a, b),
    method: {
      slices: cut.slices,
      sliceNs: [a.snapshot.durationNs / Math.max(1, cut.slices), b.snapshot.durationNs / Math.max(1, cut.slices)],
      permutations: PERMUTATIONS,
      figures: tested.length,
      neighbourCorrelation: cut.correlation,
      notTested: cut.why,
    },
    findings: rows.filter(({ verdict }) => verdict === 'differs').sort(byCost),
    rows,
  };
}

interface Cut {
  readonly slices: number;
  readonly figures: readonly Figure[];
  readonly correlation: number | null;
  readonly why: string;
}

/** As many slices as leave neighbours all but independent. */
function slice(a: Recorded, b: Recorded): Cut {
  const sliced = (recorded: Recorded, slices: number): Sliced => ({
    session: recorded.snapshot.session,
    cells: recorded.series.regroup(slices),
  });
  const fits = (slices: number): boolean =>
    [a, b].every(({ series, snapshot }) => series.length >= slices && snapshot.durationNs >= slices * MIN_SLICE_NS);
  let last: Cut | null = null;
  for (const slices of SLICES) {
    if (!fits(slices)) continue;
    const figures = figuresOf(sliced(a, slices), sliced(b, slices));
    const correlations = figures
      .filter(isTested)
      .map(({ ratio }) => neighbourCorrelation(ratio))
      .filter(Number.isFinite);
    const correlation =
      correlations.length === 0 ? null : correlations.reduce((sum, r) => sum + r, 0) / correlations.length;
    last = { slices, figures, correlation, why: '' };
    if (correlation === null || correlation <= MAX_CORRELATION) break;
  }
  if (last !== null && Math.min(faultsOf(a), faultsOf(b)) > 0) return last;
  const why =
    last === null
      ? `a recording is shorter than ${(8 * MIN_SLICE_NS) / 1e9} s: too few time slices to tell a difference from noise`
      : 'a recording has no counts of faults';
  return { slices: 0, figures: figuresOf(sliced(a, 1), sliced(b, 1)), correlation: null, why };
}

/** Figures both sides could see. */
function isTested({ a, b, ratio }: Figure): boolean {
  const some = (rows: Figure['ratio']['a']): boolean => rows.some(([, d]) => d > 0);
  return a !== null && b !== null && some(ratio.a) && some(ratio.b);
}

function faultsOf({ series }: Recorded): number {
  return series.regroup(1)[0]?.get(key.faults) ?? 0;
}

function sideOf({ snapshot, truncated }: Recorded): DiffSide {
  const { session, durationNs, counts, events, lifecycles } = snapshot;
  return { session, durationNs, faults: counts.faults, events, lifecycles, truncated };
}

function rowOf(
  figure: Figure,
  p: number | null,
  faults: readonly [number, number],
  sides: readonly [Recorded, Recorded],
): DiffRow {
  const { id, group, title, unit } = figure;
  const side = (value: number | null, at: 0 | 1): SideValue | null => {
    if (value === null) return null;
    const seconds = sides[at].snapshot.durationNs / 1e9;
    const plain = unit === 'percentile';
    return {
      value,
      perFault: plain || faults[at] === 0 ? null : value / faults[at],
      perSecond: plain || seconds === 0 ? null : value / seconds,
    };
  };
  const [a, b] = [side(figure.a, 0), side(figure.b, 1)];
  const of = (value: SideValue | null): number | null =>
    (unit === 'percentile' ? value?.value : value?.perFault) ?? null;
  const change = changeOf(of(a), of(b));
  const verdict = p === null ? 'not tested' : p < ALPHA && Math.abs(change ?? 0) >= MIN_CHANGE ? 'differs' : 'noise';
  return { id, group, title, unit, a, b, change, p, verdict };
}

function changeOf(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return null;
  if (a === 0) return b === 0 ? 0 : Number.POSITIVE_INFINITY;
  return b / a - 1;
}

const GROUPS: readonly Group[] = ['wait', 'cause', 'verdict', 'outcome', 'percentile', 'process'];

/** Time first, by how much of it a fault gains or loses; then counts, by how much the share of faults changed. */
function byCost(x: DiffRow, y: DiffRow): number {
  const timed = (row: DiffRow): number => (row.group === 'wait' && row.unit === 'ns' ? 0 : 1);
  const moved = (row: DiffRow): number => Math.abs((row.b?.perFault ?? 0) - (row.a?.perFault ?? 0));
  return (
    timed(x) - timed(y) ||
    GROUPS.indexOf(x.group) - GROUPS.indexOf(y.group) ||
    moved(y) - moved(x) ||
    (x.id < y.id ? -1 : 1)
  );
}
