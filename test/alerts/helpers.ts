// SPDX-License-Identifier: MIT
/** Snapshots with chosen figures, and rules. */
import { compileCondition } from '../../src/actions/cel.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { ProcessRow } from '../../src/core/aggregate/snapshot-rows.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import { syntheticSession } from '../core/session.js';

export const EMPTY: Snapshot = new Pipeline(syntheticSession()).snapshot();

export interface Totals {
  readonly success?: number;
  readonly retry?: number;
  readonly dropped?: number;
  readonly processes?: readonly ProcessRow[];
}

/** As the session stands after `seconds`, with these totals. */
export function snapshotAt(
  seconds: number,
  { success = 0, retry = 0, dropped = 0, processes = [] }: Totals = {},
): Snapshot {
  const time = seconds * 1e9;
  return {
    ...EMPTY,
    time,
    durationNs: time,
    counts: { ...EMPTY.counts, vmaLock: { ...EMPTY.counts.vmaLock, success, retry } },
    events: { ...EMPTY.events, dropped },
    processes,
  };
}

export function processRow(tgid: number, retries: number): ProcessRow {
  return {
    tgid,
    comm: `worker-${tgid}`,
    cgroup: tgid % 2,
    cgroupName: `/half/${tgid % 2}`,
    lost: null,
    lifecycles: retries * 2,
    swap: retries,
    retries,
    aborts: 0,
    inFlight: 0,
    folioWaitNs: retries * 1e6,
    mmapWaitNs: 0,
    totalNs: retries * 2e6,
  };
}

/** Durations in seconds. */
export interface RuleText {
  readonly when: string;
  readonly clear?: string;
  readonly for?: number;
  readonly clearFor?: number;
  readonly cooldown?: number;
  readonly groupBy?: AlertRule['groupBy'];
}

export function rule(text: RuleText, name = 'rule'): AlertRule {
  const groupBy = text.groupBy ?? null;
  return {
    name,
    summary: 'a rule of a test',
    severity: 'warning',
    groupBy,
    forNs: (text.for ?? 0) * 1e9,
    clearForNs: (text.clearFor ?? 0) * 1e9,
    cooldownNs: (text.cooldown ?? 0) * 1e9,
    when: compileCondition(text.when, groupBy),
    clear: text.clear === undefined ? null : compileCondition(text.clear, groupBy),
  };
}
