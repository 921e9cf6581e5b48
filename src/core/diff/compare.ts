// SPDX-License-Identifier: MIT
/** Two recordings side by side, or two sets of runs: what differs, by how much, and whether that is more than noise. */
import { PACE } from '../aggregate/series/collector.js';
import { type Figure, figuresOf, type Group, merged, type Sliced } from './figures.js';
import { adjustedP } from './permutation.js';
import { cut, type DiffSide, type Recorded, sideOf } from './sides.js';
import { warningsOf } from './warnings.js';

export type { DiffSide, Recorded } from './sides.js';

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

export interface Diff {
  readonly a: DiffSide;
  readonly b: DiffSide;
  readonly warnings: readonly string[];
  readonly method: {
    /** What was dealt out to the two sides: time slices of two recordings, or whole runs. */
    readonly unit: 'slice' | 'run';
    /** How many of either there are, on the side with fewer; 0 when nothing was tested. */
    readonly slices: number;
    /** Their mean length. */
    readonly sliceNs: readonly [a: number, b: number];
    /** Figures tested together. */
    readonly figures: number;
    /** How much longer the same few instructions took in B; null when too few faults came that way. */
    readonly pace: number | null;
    /** By these factors a time, and a count, must change to be named. */
    readonly timeFactor: number;
    readonly countFactor: number;
    /** Why nothing was tested; '' when it was. */
    readonly notTested: string;
  };
  /** Rows that differ, most costly first. */
  readonly findings: readonly DiffRow[];
  readonly rows: readonly DiffRow[];
}

/**
 * Adjusted p below this is called a difference. Less than the usual 0.05: two runs of one workload also differ by what no
 * slice of either shows, and in 19 of 20 pairs of them nothing is to be named (docs/diff.md, measured).
 */
export const ALPHA = 0.02;
/** And so is a change of at least this share: what is smaller is not worth a name, however certain. */
export const MIN_CHANGE = 0.05;

/** Faults that must have come by the same few instructions in either recording. */
const MIN_PACE_COUNT = 30;
/** A machine that much slower is worth a warning. */
const PACE_WARNING = 1.1;
/**
 * And beyond that it is no longer the same machine: what queues behind something slow waits longer than that is slower, and
 * other faults meet each other. Of like runs, figures moved by up to this power of it (docs/diff.md, measured).
 */
const PACE_POWER = 4;

/** A recording, or several runs of one workload on one machine. */
export type Recordings = Recorded | readonly Recorded[];

const listOf = (recordings: Recordings): readonly Recorded[] => ('series' in recordings ? [recordings] : recordings);

/** Pure. Its time depends on the number of figures, not on the length of the recordings. */
export function compare(recordingsA: Recordings, recordingsB: Recordings): Diff {
  const [runsA, runsB] = [listOf(recordingsA), listOf(recordingsB)];
  const { unit, slices, notTested, a: cutA, b: cutB } = cut(runsA, runsB);
  const figures = figuresOf(cutA, cutB);
  const tested = slices > 0 ? figures.filter(isTested) : [];
  const ps = new Map(adjustedP(tested.map(({ ratio }) => ratio)).map((p, i) => [tested[i]?.id, p]));
  const pace = paceOf(cutA, cutB);
  const factors = factorsOf(pace);
  const [a, b] = [sideOf(runsA), sideOf(runsB)];
  const rows = figures.map((figure) => rowOf(figure, ps.get(figure.id) ?? null, [a, b], factors));
  return {
    a,
    b,
    warnings: [...warningsOf(runsA, runsB), ...paceWarning(pace, factors)],
    method: {
      unit,
      slices,
      sliceNs: [a.durationNs / cutA.cells.length, b.durationNs / cutB.cells.length],
      figures: tested.length,
      pace,
      timeFactor: factors.time,
      countFactor: factors.count,
      notTested,
    },
    findings: rows.filter(({ verdict }) => verdict === 'differs').sort(byCost(rows)),
    rows,
  };
}

/** Median time of the same few instructions in B, as a multiple of A's; null when too few faults came that way. */
function paceOf(a: Sliced, b: Sliced): number | null {
  const [inA, inB] = [merged(a.cells, PACE), merged(b.cells, PACE)];
  if (Math.min(inA.count, inB.count) < MIN_PACE_COUNT) return null;
  const ratio = inB.percentile(0.5) / inA.percentile(0.5);
  return Number.isFinite(ratio) && ratio > 0 ? ratio : null;
}

interface Factors {
  readonly time: number;
  readonly count: number;
}

/** What is smaller is not named, however certain. */
function factorsOf(pace: number | null): Factors {
  const least = 1 + MIN_CHANGE;
  const slower = Math.max(pace ?? 1, 1 / (pace ?? 1));
  if (slower <= PACE_WARNING) return { time: least * slower, count: least };
  return { time: least * slower ** PACE_POWER, count: least * slower ** PACE_POWER };
}

function paceWarning(pace: number | null, { time }: Factors): string[] {
  if (pace === null || (pace <= PACE_WARNING && pace >= 1 / PACE_WARNING)) return [];
  const [slower, factor] = pace > 1 ? ['B', pace] : ['A', 1 / pace];
  return [
    `the machine was ${factor.toFixed(1)} times as slow in ${slower}: the same few instructions took that much longer, and only what changes by more than ×${time.toPrecision(2)} is named`,
  ];
}

/** Figures both sides could see. */
function isTested({ a, b, ratio }: Figure): boolean {
  const some = (rows: Figure['ratio']['a']): boolean => rows.some(([, d]) => d > 0);
  return a !== null && b !== null && some(ratio.a) && some(ratio.b);
}

function rowOf(figure: Figure, p: number | null, sides: readonly [DiffSide, DiffSide], factors: Factors): DiffRow {
  const { id, group, title, unit } = figure;
  const side = (value: number | null, at: 0 | 1): SideValue | null => {
    if (value === null) return null;
    const { durationNs, faults } = sides[at];
    const seconds = durationNs / 1e9;
    const plain = unit === 'percentile';
    return {
      value,
      perFault: plain || faults === 0 ? null : value / faults,
      perSecond: plain || seconds === 0 ? null : value / seconds,
    };
  };
  const [a, b] = [side(figure.a, 0), side(figure.b, 1)];
  const of = (value: SideValue | null): number | null =>
    (unit === 'percentile' ? value?.value : value?.perFault) ?? null;
  const change = changeOf(of(a), of(b));
  const factor = (change ?? 0) + 1;
  const least = unit === 'count' ? factors.count : factors.time;
  const large = factor >= least || factor <= 1 / least;
  const verdict = p === null ? 'not tested' : p < ALPHA && large ? 'differs' : 'noise';
  return { id, group, title, unit, a, b, change, p, verdict };
}

function changeOf(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return null;
  if (a === 0) return b === 0 ? 0 : Number.POSITIVE_INFINITY;
  return b / a - 1;
}

/** What is left when the waits are through, in this order. */
const GROUPS: readonly Group[] = ['wait', 'percentile', 'cause', 'verdict', 'outcome', 'process'];

/** The kind of wait that a figure is about; '' for the others. */
function waitOf({ id, group }: DiffRow): string {
  return group === 'wait' || group === 'percentile' ? (id.split('/')[1] ?? '') : '';
}

/**
 * What costs most first. Time is what it costs: kinds of wait by the time per fault they gained or lost, and all that differs
 * of one kind together, for its time, its number and its length have one cause. Then counts, by how much the share of
 * faults changed.
 */
function byCost(rows: readonly DiffRow[]): (x: DiffRow, y: DiffRow) => number {
  const moved = (row: DiffRow): number => Math.abs((row.b?.perFault ?? 0) - (row.a?.perFault ?? 0));
  const times = new Map(rows.filter(({ id }) => id.startsWith('wait-ns/')).map((row) => [waitOf(row), moved(row)]));
  const time = (row: DiffRow): number => times.get(waitOf(row)) ?? -1;
  const rank = ({ group, unit }: DiffRow): number =>
    2 * GROUPS.indexOf(group) - (group === 'wait' && unit === 'ns' ? 1 : 0);
  return (x, y) =>
    time(y) - time(x) ||
    (waitOf(x) < waitOf(y) ? -1 : waitOf(x) > waitOf(y) ? 1 : 0) ||
    rank(x) - rank(y) ||
    moved(y) - moved(x) ||
    (x.id < y.id ? -1 : 1);
}
