// SPDX-License-Identifier: MIT
/**
 * The three policies over rebuilt faults, once more and by another way: all faults and all writers are kept, and every
 * writer is held against every wait. Nothing of src/core/verdict is used.
 */

import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import type { WriterMoment, Writers } from './verdict-writers.js';

export interface Sums {
  readonly faults: number;
  readonly unknown: number;
  readonly least: number;
  readonly most: number;
}

export interface Stall {
  readonly hold: string;
  readonly ns: number;
}

/** Faults that come while a writer stalls, under keep; null: two stalls of one hold are the longest, and either may count. */
export interface Lost {
  readonly faults: number;
  readonly ns: number;
}

export interface Oracle {
  readonly retries: number;
  readonly queued: readonly [number, number];
  readonly retry: Sums;
  readonly keep: Sums;
  /** Longest stall of each hold under keep; `exact`: for its VMA, else for the mm. */
  readonly stalls: { readonly exact: readonly Stall[]; readonly bound: readonly Stall[] };
  readonly stallsUnknown: number;
  /** Least: who came in the recording. Most: and who would be done sooner, and may come again. */
  readonly lost: Readonly<Record<'exact' | 'bound', { readonly least: Lost | null; readonly most: Lost | null }>>;
}

const KEPT = /^(folio locked|device-exclusive|file: )/;
const IN_VAIN = new Set(['anon_vma', 'hugetlb', '->fault needs mmap_lock', 'device-private', 'swap refused']);
const DROPS = new Set(['folio', 'userfault', 'file', 'shmem']);

/** [least, most] queued after the RETRY; null where an end is missing. */
function queued({ attempts, waits, end }: Lifecycle, queueSeen: boolean): readonly [number, number] | null {
  const each: (readonly [number, number])[] = [];
  const locking = waits.filter(({ kind }) => kind === 'mmapLock');
  for (const wait of locking) {
    const queues = !Number.isNaN(wait.contended);
    if (Number.isNaN(wait.end)) each.push([0, Math.max(0, end - (queues ? wait.contended : wait.start))]);
    else if (queues) each.push([wait.end - wait.contended, wait.end - wait.contended]);
    else each.push([0, queueSeen ? 0 : wait.end - wait.start]);
  }
  const passes = attempts.filter(({ lock }) => lock === 'mmap');
  if (passes.length > locking.length)
    for (const { acquired } of passes) {
      const seen = locking.find(
        (wait) =>
          !(wait.start > acquired.hi || wait.end < acquired.lo || Number.isNaN(wait.end) || Number.isNaN(acquired.lo)),
      );
      if (seen === undefined) each.push([0, acquired.hi - acquired.lo]);
    }
  const sum = (side: 0 | 1): number => each.reduce((all, one) => all + one[side], 0);
  return Number.isFinite(sum(1)) ? [sum(0), sum(1)] : null;
}

type Saved = readonly [number, number] | null;

function saved(fault: Lifecycle, queue: Saved, cause: string, verdict: string): { retry: Saved; keep: Saved } {
  if (fault.how === 'signal') return { retry: [0, 0], keep: [0, 0] };
  const maybe: Saved = queue === null ? null : [0, queue[1]];
  const vain = IN_VAIN.has(cause) || verdict === 'by design';
  const sure = verdict === 'avoidable' && cause !== 'unknown' && cause !== 'driver or file system';
  const free = verdict === 'avoidable' || verdict === 'by design';
  return {
    retry: vain ? [0, 0] : sure ? queue : maybe,
    keep: KEPT.test(cause) && free ? queue : KEPT.test(cause) || cause === 'unknown' ? maybe : [0, 0],
  };
}

/** Whether the writer came for the fault's VMA, or may have. */
function meets({ vma, named }: WriterMoment, { address, vmaStart, vmaEnd }: Lifecycle): boolean {
  if (vma !== null) return vma[0] <= address && address < vma[1];
  return named === null || vmaEnd === 0 || !(vmaEnd < named[0] || vmaStart > named[1]);
}

interface Longest {
  readonly moment: WriterMoment;
  readonly to: number;
}

interface Arrival {
  readonly fault: Lifecycle;
  readonly time: number;
}

function lostBehind(longest: ReadonlyMap<string, readonly Longest[]>, arrivals: readonly Arrival[]): Lost | null {
  if ([...longest.values()].some((of) => new Set(of.map(({ moment }) => moment)).size > 1)) return null;
  const stalls: Longest[] = [];
  for (const stall of [...longest.values()]
    .map(([one]) => one as Longest)
    .sort((x, y) => x.moment.time - y.moment.time)) {
    const { tid, mm, time } = stall.moment;
    const before = stalls.findLast(({ moment }) => moment.tid === tid && moment.mm === mm);
    if (before === undefined || before.to <= time) stalls.push(stall);
  }
  let [count, ns] = [0, 0];
  for (const { fault, time } of arrivals) {
    const ends = stalls
      .filter(({ moment, to }) => moment.mm === fault.mm && moment.time < time && to > time)
      .filter(({ moment }) => meets(moment, fault))
      .map(({ to }) => to);
    if (ends.length === 0) continue;
    count++;
    ns += Math.max(...ends) - time;
  }
  return { faults: count, ns };
}

interface Away {
  readonly fault: Lifecycle;
  readonly from: number;
  readonly to: number;
}

/** When it had mmap_lock, of a fault that queued for it once and was seen to. */
function hadAfter({ waits }: Lifecycle): number {
  const all = waits.filter(({ kind }) => kind === 'mmapLock');
  return all.every(({ contended }) => !Number.isNaN(contended)) && all.length === 1
    ? (all[0]?.end ?? Number.NaN)
    : Number.NaN;
}

/** Time its thread did something between a fault whose VMA was locked meanwhile and the next one there; Infinity: not limited. */
function mostSaved({ fault, from, to }: Away, next: Lifecycle | undefined, { moments, released }: Writers): number {
  if (next === undefined) return Number.POSITIVE_INFINITY;
  const ends = moments
    .filter(({ mm, vma, time }) => vma !== null && mm === fault.mm && time >= from && time < to)
    .filter((moment) => meets(moment, fault) && meets(moment, next))
    .map(({ hold }) => released.get(hold) ?? Number.NEGATIVE_INFINITY);
  return next.first - fault.last + Math.max(0, hadAfter(fault) - Math.max(Number.NEGATIVE_INFINITY, ...ends));
}

/** Of each that was away: what its thread did next; nothing is known where another one of the thread was away within it. */
function nextOf(faults: readonly Lifecycle[], away: readonly Away[], { fault }: Away): Lifecycle | undefined {
  for (const later of faults.slice(faults.indexOf(fault) + 1)) {
    if (later.tid !== fault.tid) continue;
    if (later.first >= fault.last) return later;
    if (away.some((other) => other.fault === later)) return undefined;
  }
  return undefined;
}

export function oracle(faults: readonly Lifecycle[], writers: Writers, queueSeen: boolean): Oracle {
  const { moments } = writers;
  const total = {
    retry: { faults: 0, unknown: 0, least: 0, most: 0 },
    keep: { faults: 0, unknown: 0, least: 0, most: 0 },
  };
  const all: [number, number] = [0, 0];
  const windows: { readonly fault: Lifecycle; readonly from: number; readonly to: number }[] = [];
  const retried: Arrival[] = [];
  const again: Arrival[] = [];
  const away: (Away & { readonly most: number })[] = [];
  let retries = 0;
  let stallsUnknown = 0;
  for (const fault of faults) {
    const attempt = fault.attempts.find(({ lock, outcome }) => lock === 'vma' && outcome === 'retry');
    if (attempt === undefined) continue;
    retries++;
    if (!Number.isNaN(fault.address)) retried.push({ fault, time: fault.first });
    const cause = attempt.cause ?? 'unknown';
    const fellBack = fault.attempts.some(({ lock }) => lock === 'mmap');
    const queue = fault.how === 'signal' ? ([0, 0] as const) : fellBack ? queued(fault, queueSeen) : null;
    if (queue !== null) {
      all[0] += queue[0];
      all[1] += queue[1];
    }
    const would = saved(fault, queue, cause, attempt.verdict?.kind ?? 'unknown');
    for (const name of ['retry', 'keep'] as const) {
      total[name].faults++;
      const one = would[name];
      if (one === null) total[name].unknown++;
      else {
        total[name].least += one[0];
        total[name].most += one[1];
      }
    }
    if (!KEPT.test(cause) && cause !== 'unknown') continue;
    const waits = fault.waits.filter(
      ({ kind, start, end }) => DROPS.has(kind) && !(start > attempt.released.hi) && !Number.isNaN(end),
    );
    const wait = waits.at(-1);
    const from =
      wait === undefined ? Number.NaN : Number.isFinite(attempt.released.lo) ? attempt.released.lo : wait.start;
    if (wait === undefined || Number.isNaN(from) || Number.isNaN(fault.address)) stallsUnknown++;
    else windows.push({ fault, from, to: wait.end });
    const kind = attempt.verdict?.kind;
    const free = cause !== 'unknown' && (kind === 'avoidable' || kind === 'by design');
    const queuedOnce = hadAfter(fault) > (wait?.end ?? Number.NaN);
    if (wait !== undefined && queuedOnce && !free && would.keep !== null && would.keep[1] > 0 && fault.how !== 'signal')
      away.push({ fault, from, to: wait.end, most: would.keep[1] });
    if (wait === undefined || Number.isNaN(fault.address)) continue;
    if (free || would.keep === null || fault.how === 'signal') continue;
    again.push({ fault, time: wait.end });
  }
  for (const one of away) {
    const less = one.most - mostSaved(one, nextOf(faults, away, one), writers);
    if (less > 0) total.keep.most -= less;
  }
  const longest = { exact: new Map<string, Longest[]>(), bound: new Map<string, Longest[]>() };
  for (const moment of moments)
    for (const { fault, from, to } of windows) {
      const { hold, mm, time, vma } = moment;
      if (fault.mm !== mm || time < from || time >= to || !meets(moment, fault)) continue;
      const side = longest[vma === null ? 'bound' : 'exact'];
      const before = side.get(hold)?.[0];
      const grown = before === undefined ? Number.POSITIVE_INFINITY : to - time - (before.to - before.moment.time);
      if (grown > 0) side.set(hold, [{ moment, to }]);
      else if (grown === 0) side.get(hold)?.push({ moment, to });
    }
  const lost = (side: ReadonlyMap<string, Longest[]>): Oracle['lost']['exact'] => ({
    least: lostBehind(longest.exact, retried),
    most: lostBehind(side, [...retried, ...again]),
  });
  const list = (side: ReadonlyMap<string, Longest[]>): Stall[] =>
    [...side].map(([hold, [of]]) => ({ hold, ns: (of?.to ?? 0) - (of?.moment.time ?? 0) }));
  return {
    retries,
    queued: all,
    ...total,
    stalls: { exact: list(longest.exact), bound: list(longest.bound) },
    stallsUnknown,
    lost: { exact: lost(longest.exact), bound: lost(longest.bound) },
  };
}
