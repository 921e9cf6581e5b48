// SPDX-License-Identifier: MIT
/** Rows that join parts of a snapshot, or two snapshots: what the lists of the dashboard are made of. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { AlertPhase, AlertStatus } from '../alerts/event.js';
import type { CauseLine } from '../present/fields/cause.js';
import type { WaitLine } from '../present/fields/wait.js';
import { countOf, finalCount, perSecond } from '../present/rows.js';
import { CAUSES, isRetryCause } from '../vocabulary/causes.js';
import { WAIT_FACTS, WAIT_KINDS, type WaitName } from '../vocabulary/waits.js';
import type { ProcessLine } from './fields.js';
import type { Figures } from './list.js';

export function processLines({ now, before }: Figures): ProcessLine[] {
  const earlier = new Map(before?.processes.map((row) => [row.tgid, row.retries]) ?? []);
  return now.processes.map((row) => ({
    row,
    rate: perSecond(now, before, (s) => (s === now ? row.retries : (earlier.get(row.tgid) ?? 0))),
  }));
}

export function causeLines({ now, before }: Figures): CauseLine[] {
  const total = now.retry.total + now.abort.total;
  const judged = new Map(now.counterfactual.byCause.map((row) => [row.key, row]));
  return CAUSES.map((cause): CauseLine => {
    const count = countOf(now, cause);
    return {
      cause,
      result: isRetryCause(cause) ? 'RETRY' : 'ABORT',
      count,
      rate: perSecond(now, before, (s) => finalCount(s, cause)),
      share: count / (total || Number.NaN),
      cost: now.causeCosts[cause] ?? null,
      judged: judged.get(cause) ?? null,
    };
  }).sort((a, b) => b.count - a.count);
}

const PHASES: readonly AlertPhase[] = ['firing', 'clearing', 'pending', 'cooldown', 'inactive'];

/** What is out first, then what is about to be. */
export function alertLines({ state }: Figures): AlertStatus[] {
  return [...(state.alerts ?? [])].sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase));
}

/** Those that occurred, longest sum first; those of the classical retry always. */
export function waitLines(now: Snapshot): WaitLine[] {
  const line = (id: WaitName, title: string = WAIT_FACTS[id].title): WaitLine => ({ id, title, stats: now.waits[id] });
  const lines = WAIT_KINDS.map((kind) => line(kind))
    .filter(({ id, stats }) => stats.count > 0 || WAIT_FACTS[id].always)
    .sort((a, b) => b.stats.sumNs - a.stats.sumNs);
  const at = lines.findIndex(({ id }) => id === 'mmapLock');
  lines.splice(at + 1, 0, line('mmapLockQueued', `  ${WAIT_FACTS.mmapLockQueued.title}`));
  lines.push(line('writer'));
  if (now.waits.vmaWrite.count > 0) lines.push(line('vmaWrite'));
  return lines;
}
