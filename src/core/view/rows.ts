// SPDX-License-Identifier: MIT
/** Rows that join parts of a snapshot, or two snapshots: what the lists of the dashboard are made of. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { AlertPhase, AlertStatus } from '../alerts/event.js';
import { CAUSES, RETRY_CAUSES, WAIT_KINDS } from '../lifecycle/lifecycle.js';
import { countOf, finalCount, perSecond } from '../present/rows.js';
import { WAIT_WORDS } from '../present/words.js';
import type { CauseLine, ProcessLine, WaitLine } from './fields.js';
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
  const retries: ReadonlySet<string> = new Set(RETRY_CAUSES);
  return CAUSES.map((cause): CauseLine => {
    const count = countOf(now, cause);
    return {
      cause,
      result: retries.has(cause) ? 'RETRY' : 'ABORT',
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

/** Those that occurred, longest sum first; the three of the classical retry always. */
export function waitLines(now: Snapshot): WaitLine[] {
  const always: ReadonlySet<string> = new Set(['folio', 'mmapLock', 'userfault']);
  const kinds = WAIT_KINDS.map((kind): WaitLine => ({ id: kind, title: WAIT_WORDS[kind][0], stats: now.waits[kind] }));
  const lines = kinds
    .filter((line) => line.stats.count > 0 || always.has(line.id))
    .sort((a, b) => b.stats.sumNs - a.stats.sumNs);
  const at = lines.findIndex((line) => line.id === 'mmapLock');
  lines.splice(at + 1, 0, { id: 'queued', title: '  queued', stats: now.waits.mmapLockQueued });
  lines.push({ id: 'writer', title: 'writers', stats: now.waits.writer });
  return lines;
}
