// SPDX-License-Identifier: MIT
/** A side of a comparison: one recording, which is cut into time slices, or several runs of one workload, whole. */
import { key } from '../aggregate/series/collector.js';
import { Cell, type Series } from '../aggregate/series/series.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import type { SessionInfo } from '../events/session.js';
import type { Sliced } from './figures.js';
import type { Compared } from './warnings.js';

export interface Recorded extends Compared {
  readonly series: Series;
}

export interface DiffSide {
  /** Of its first recording; `warnings` say in what the others differ. */
  readonly session: SessionInfo;
  readonly runs: number;
  /** These are sums over its runs. */
  readonly durationNs: number;
  readonly faults: number;
  readonly events: Pick<Snapshot['events'], 'emitted' | 'decoded' | 'dropped' | 'missed'>;
  readonly lifecycles: Pick<Snapshot['lifecycles'], 'total' | 'incomplete'>;
  /** How a recording of it was cut off, in words. */
  readonly truncated: string | null;
}

/** Both sides cut into what is dealt out to them, and how. */
export interface Cuts {
  readonly unit: 'slice' | 'run';
  readonly a: Sliced;
  readonly b: Sliced;
  /** Slices of each recording, or runs of the side that has fewer; 0 when nothing is tested. */
  readonly slices: number;
  readonly notTested: string;
}

/** Slices of each recording, and how long each must be. With fewer than six, no difference is beyond chance. */
const SLICES: readonly (readonly [slices: number, sliceNs: number])[] = [
  [8, 2e9],
  // Counters are sampled four times a second: shorter slices would hold the same sample.
  [6, 500e6],
];
/** Of four a side there are 70 deals, each as good as its mirror: none is as rare as one in fifty. */
const MIN_RUNS = 5;
/** What the test can deal out in all ways. */
const MAX_RUNS = 8;

const sum = (runs: readonly Recorded[], of: (snapshot: Snapshot) => number): number =>
  runs.reduce((total, { snapshot }) => total + of(snapshot), 0);

function wholeOf({ series }: Recorded): Cell {
  return series.regroup(1)[0] ?? new Cell();
}

/** Whether its series has counts of faults: those are spread over slices, so their sum is not exact. */
function isCounted(run: Recorded): boolean {
  return wholeOf(run).get(key.faults) > 0;
}

function firstOf(runs: readonly Recorded[]): Recorded {
  const [first] = runs;
  if (first === undefined) throw new RangeError('a side without a recording');
  return first;
}

export function sideOf(runs: readonly Recorded[]): DiffSide {
  return {
    session: firstOf(runs).snapshot.session,
    runs: runs.length,
    durationNs: sum(runs, (s) => s.durationNs),
    faults: sum(runs, (s) => s.counts.faults),
    events: {
      emitted: sum(runs, (s) => s.events.emitted),
      decoded: sum(runs, (s) => s.events.decoded),
      dropped: sum(runs, (s) => s.events.dropped),
      missed: sum(runs, (s) => s.events.missed),
    },
    lifecycles: {
      total: sum(runs, (s) => s.lifecycles.total),
      incomplete: sum(runs, (s) => s.lifecycles.incomplete),
    },
    truncated: runs.find(({ truncated }) => truncated !== null)?.truncated ?? null,
  };
}

/** Throws a `RangeError` for a side without a recording. */
export function cut(a: readonly Recorded[], b: readonly Recorded[]): Cuts {
  return a.length === 1 && b.length === 1 ? cutSlices(firstOf(a), firstOf(b)) : cutRuns(a, b);
}

function cutSlices(a: Recorded, b: Recorded): Cuts {
  const sliced = ({ snapshot, series }: Recorded, slices: number): Sliced => ({
    session: snapshot.session,
    cells: series.regroup(slices),
  });
  const cuts = (slices: number, notTested: string): Cuts => ({
    unit: 'slice',
    a: sliced(a, Math.max(1, slices)),
    b: sliced(b, Math.max(1, slices)),
    slices,
    notTested,
  });
  const fit = SLICES.find(([slices, sliceNs]) =>
    [a, b].every(({ series, snapshot }) => series.length >= slices && snapshot.durationNs >= slices * sliceNs),
  );
  if (fit === undefined) {
    const [slices, sliceNs] = SLICES.at(-1) ?? [0, 0];
    return cuts(
      0,
      `a recording is shorter than ${(slices * sliceNs) / 1e9} s: too few time slices to distinguish a difference from noise`,
    );
  }
  return isCounted(a) && isCounted(b) ? cuts(fit[0], '') : cuts(0, 'a recording has no counts of faults');
}

function cutRuns(a: readonly Recorded[], b: readonly Recorded[]): Cuts {
  const whole = (runs: readonly Recorded[]): Sliced => ({
    session: firstOf(runs).snapshot.session,
    cells: runs.map(wholeOf),
  });
  const fewest = Math.min(a.length, b.length);
  let notTested = '';
  if (fewest < MIN_RUNS)
    notTested = `there are ${a.length} and ${b.length} runs: with fewer than ${MIN_RUNS} a side no difference is beyond chance`;
  else if (Math.max(a.length, b.length) > MAX_RUNS) notTested = `more than ${MAX_RUNS} runs a side`;
  else if (![...a, ...b].every(isCounted)) notTested = 'a recording has no counts of faults';
  return { unit: 'run', a: whole(a), b: whole(b), slices: notTested === '' ? fewest : 0, notTested };
}
