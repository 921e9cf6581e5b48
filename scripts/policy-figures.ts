// SPDX-License-Identifier: MIT
/** What `verdict` predicted of runs on a kernel as it is, beside what kernels of the other policies gave. */
import { netOf, TELLABLE } from '../src/core/verdict/conclusions.js';
import { ALTERNATIVES, type Alternative } from '../src/core/verdict/policies.js';
import type { VerdictRow } from '../src/core/verdict/report.js';

/** What test/workload/policy says of one run; times are ns of the guest's clock. */
export interface Truth {
  readonly pid: number;
  readonly touches: number;
  readonly touchNs: number;
  readonly writes: number;
  readonly writeNs: number;
}

/** A run that was recorded, and what `verdict` says of its process; null: that none of its faults returned RETRY. */
export interface Predicted {
  readonly truth: Truth;
  readonly verdict: VerdictRow | null;
}

export interface Workload {
  readonly name: string;
  readonly predicted: readonly Predicted[];
  /** Of runs that nobody observed. */
  readonly measured: Readonly<Record<'today' | Alternative, readonly Truth[]>>;
}

/** A share of today's time, positive where the policy saves any. */
export interface Row {
  readonly name: string;
  readonly policy: Alternative;
  readonly least: number;
  readonly most: number;
  readonly measured: number;
  /** Distance of the measured share from what was predicted, as a share of the measured one; null: neither is known. */
  readonly error: number | null;
  /** Median distance of a run from the median of its kernel, as a share of it; of the two kernels the larger. */
  readonly repeats: number;
  /** ns a writer's call: what it would stall, and how much longer it took; null: the workload has no writer. */
  readonly stall: { readonly predicted: number; readonly measured: number; readonly today: number } | null;
  readonly says:
    | 'agrees'
    | 'within the interval'
    | 'no difference either way'
    | 'within what repeats'
    | 'size'
    | 'direction';
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[half] as number)
    : ((sorted[half - 1] as number) + (sorted[half] as number)) / 2;
}
/** Half of the runs are that near to the median. */
const spread = (values: readonly number[]): number => median(values.map((x) => Math.abs(x / median(values) - 1)));
const touch = ({ touchNs, touches }: Truth): number => touchNs / touches;

/** Less than a tenth is no difference, and so is one that is smaller than what the runs of one kernel differ by. */
function saysOf(least: number, most: number, measured: number, repeats: number): Row['says'] {
  const tellable = (share: number): boolean => Math.abs(share) >= TELLABLE;
  if (!tellable(least) && !tellable(most) && !tellable(measured)) return 'no difference either way';
  const off = Math.max(0, least - measured, measured - most);
  const wide = most - least > Math.max(TELLABLE, Math.abs(measured) / 4);
  if (off === 0 && wide) return 'within the interval';
  if (off <= Math.abs(measured) / 4 && tellable(measured)) return 'agrees';
  if (off <= repeats) return 'within what repeats';
  const nearest = measured < least ? least : most;
  return tellable(measured) && tellable(nearest) && measured > 0 === nearest > 0 ? 'size' : 'direction';
}

export function rowsOf({ name, predicted, measured }: Workload): readonly Row[] {
  const today = measured.today.map(touch);
  return ALTERNATIVES.map((policy) => {
    const under = measured[policy].map(touch);
    const net = predicted.map(({ truth, verdict }) => {
      const { lo, hi } = verdict === null ? { lo: 0, hi: 0 } : netOf(verdict.under[policy]);
      return { lo: lo / truth.touchNs, hi: hi / truth.touchNs };
    });
    const [least, most] = [median(net.map(({ lo }) => lo)), median(net.map(({ hi }) => hi))];
    const change = 1 - median(under) / median(today);
    const repeats = Math.max(spread(today), spread(under));
    const off = Math.max(0, least - change, change - most);
    const call = ({ writeNs, writes }: Truth): number => writeNs / writes;
    const writes = predicted.every(({ truth }) => truth.writes > 0);
    return {
      name,
      policy,
      least,
      most,
      measured: change,
      error: Math.abs(change) < TELLABLE ? null : off / Math.abs(change),
      repeats,
      stall: writes
        ? {
            predicted: median(
              predicted.map(({ truth, verdict }) => (verdict?.under[policy].stalls?.sumNs ?? 0) / truth.writes),
            ),
            measured: median(measured[policy].map(call)) - median(measured.today.map(call)),
            today: median(measured.today.map(call)),
          }
        : null,
      says: saysOf(least, most, change, repeats),
    };
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(1).replace('-', '−')} %`;
const us = (ns: number): string => `${Math.round(ns / 1000)} µs`.replace('-', '−');

export function tableOf(rows: readonly Row[]): string {
  const ends = ({ least, most }: Row): string =>
    percent(least) === percent(most) ? percent(most) : `${percent(least)} to ${percent(most)}`;
  const stall = ({ stall: of }: Row): string =>
    of === null ? '' : `${us(of.predicted)} / ${of.measured < 0 ? '' : '+'}${us(of.measured)} (of ${us(of.today)})`;
  return [
    "| Workload | Policy | Predicted saving | Measured | Error | Runs differ by | Says | A writer's call: stall at most / measured |",
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.name} | ${row.policy} | ${ends(row)} | ${percent(row.measured)} | ${row.error === null ? '' : percent(row.error)} | ${percent(row.repeats)} | ${row.says} | ${stall(row)} |`,
    ),
  ].join('\n');
}
