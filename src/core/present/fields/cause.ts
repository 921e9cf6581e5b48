// SPDX-License-Identifier: MIT
/** One cause: how often, at what cost, and what the fallback found. */
import type { CauseCost } from '../../aggregate/cause-costs.js';
import type { CounterfactualRow } from '../../aggregate/snapshot-rows.js';
import type { Cause } from '../../vocabulary/causes.js';
import { type Field, num, text, whole } from './field.js';

export interface CauseLine {
  readonly cause: Cause;
  readonly result: 'RETRY' | 'ABORT';
  readonly count: number;
  readonly rate: number;
  readonly share: number;
  readonly cost: CauseCost | null;
  readonly judged: CounterfactualRow | null;
}

/** Retries whose verdict is known. */
function judgedOf(row: CounterfactualRow): number {
  return row.retries - row.verdicts.unknown;
}

/** Of the retries that could be judged; NaN when there was none. */
function avoidableShare(row: CounterfactualRow): number {
  const known = judgedOf(row);
  return known > 0 ? row.verdicts.avoidable / known : Number.NaN;
}

export const causeLineFields: readonly Field<CauseLine>[] = [
  text('cause', 'cause', 26, (r) => r.cause),
  text('result', 'ends in', 7, (r) => r.result),
  num('count', 'count', '', 6, (r) => r.count),
  num('rate', 'rate', '/s', 9, (r) => r.rate),
  num('share', 'share', 'share', 6, (r) => r.share),
  num('lost', 'cost', 'ns', 8, (r) => r.cost?.lostNs ?? null),
  num('mean', 'mean', 'ns', 8, (r) => (r.cost === null ? null : r.cost.lostNs / r.cost.faults)),
  num('avoidable', 'avoidable', 'share', 9, (r) => (r.judged === null ? null : avoidableShare(r.judged))),
  num('worst', 'worst', 'ns', 8, (r) => r.cost?.worstNs ?? null),
  num(
    'example',
    'worst tid',
    '',
    9,
    (r) => r.cost?.worst.tid ?? null,
    (v) => (v === null ? '–' : whole(v)),
  ),
  num('saved', 'saved', 'ns', 8, (r) => (r.judged === null || judgedOf(r.judged) === 0 ? null : r.judged.savedNs)),
];
