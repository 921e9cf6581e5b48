// SPDX-License-Identifier: MIT
/** What each process did between two snapshots. */

import type { Figures } from '../aggregate/figures.js';
import { MAX_PROCESS_ROWS } from '../aggregate/top-rows.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { Interval } from './interval.js';
import { oldestSeconds, readUntil } from './stuck.js';

const SUMS = [
  'lifecycles',
  'swap',
  'retries',
  'aborts',
  'folioWaitNs',
  'mmapWaitNs',
  'writerWaitNs',
  'avoidable',
  'judged',
] as const;
type Sums = Record<(typeof SUMS)[number], number>;

export interface Work extends Readonly<Sums> {
  readonly inFlight: number;
  readonly stuckSeconds: number;
}

type ProcessRow = Figures['processes'][number];

export interface ProcessWork {
  readonly row: ProcessRow;
  readonly work: Work;
}

/** Sums of the session, from the row of the process and from the rows about it elsewhere. */
interface Totals {
  of(row: ProcessRow): Sums;
}

function totalsOf(snapshot: Figures): Totals {
  const writerNs = new Map<number, number>();
  for (const { tgid, wait, vmaWait } of snapshot.writers)
    writerNs.set(tgid, (writerNs.get(tgid) ?? 0) + wait.sumNs + vmaWait.sumNs);
  // The key of these rows is `tgid comm`.
  const verdicts = new Map(snapshot.counterfactual.byProcess.map((row) => [Number.parseInt(row.key, 10), row]));
  return {
    of: (row) => {
      const judged = verdicts.get(row.tgid);
      const { lifecycles, swap, retries, aborts, folioWaitNs, mmapWaitNs } = row;
      return {
        lifecycles,
        swap,
        retries,
        aborts,
        folioWaitNs,
        mmapWaitNs,
        writerWaitNs: writerNs.get(row.tgid) ?? 0,
        avoidable: judged?.verdicts.avoidable ?? 0,
        judged: judged === undefined ? 0 : judged.retries - judged.verdicts.unknown,
      };
    },
  };
}

/**
 * A process that was not in the list before had done nothing: unless the list was full, then what it did in the interval
 * is not known, and it is left out.
 */
export function worksOf({ before, now, losses }: Interval): ProcessWork[] {
  const earlier = new Map(before?.processes.map((row) => [row.tgid, row]));
  const wasFull = (before?.processes.length ?? 0) >= MAX_PROCESS_ROWS;
  const totals = totalsOf(now);
  const totalsBefore = before === null ? null : totalsOf(before);
  const until = readUntil(now);
  const open = new Map<number, Lifecycle[]>();
  for (const lifecycle of now.inFlight) {
    const list = open.get(lifecycle.tgid);
    if (list === undefined) open.set(lifecycle.tgid, [lifecycle]);
    else list.push(lifecycle);
  }
  const works: ProcessWork[] = [];
  for (const row of now.processes) {
    const was = earlier.get(row.tgid);
    if (was === undefined && wasFull) continue;
    const sums = totals.of(row);
    // Fewer than before: the row was dropped from a full table and begun again.
    if (was !== undefined && totalsBefore !== null && was.lifecycles <= row.lifecycles) {
      const base = totalsBefore.of(was);
      for (const key of SUMS) sums[key] = Math.max(0, sums[key] - base[key]);
    }
    const stuckSeconds = oldestSeconds(open.get(row.tgid) ?? [], until, losses);
    works.push({ row, work: { ...sums, inFlight: row.inFlight, stuckSeconds } });
  }
  return works;
}

export function addWork(x: Work, y: Work): Work {
  const sums = Object.fromEntries(SUMS.map((key) => [key, x[key] + y[key]])) as Sums;
  return { ...sums, inFlight: x.inFlight + y.inFlight, stuckSeconds: Math.max(x.stuckSeconds, y.stuckSeconds) };
}
