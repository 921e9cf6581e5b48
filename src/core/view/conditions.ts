// SPDX-License-Identifier: MIT
/**
 * What deserves a look, judged on each snapshot: conditions with a limit, firing or not, or not observable here.
 * Shares and rates are those since the snapshot before, so that an old storm does not fire for ever.
 */
import type { Lifecycle } from '../lifecycle.js';
import type { Snapshot } from '../snapshot.js';
import { formatCount, formatDuration, formatRate, formatShare } from '../view-format.js';
import { lasted } from '../view-lifecycle.js';
import { perSecond } from '../view-rows.js';

export interface Judgement {
  /** null: not observable here, `why` says why. */
  readonly firing: boolean | null;
  readonly value: string;
  readonly why: string;
  /** A fault that shows it; null when there is none to show. */
  readonly example: Lifecycle | null;
}

export interface Condition {
  readonly id: string;
  readonly title: string;
  readonly severity: 'warning' | 'critical';
  readonly limit: string;
  judge(now: Snapshot, before: Snapshot | null): Judgement;
}

/**
 * Since when each firing condition has been firing: time of the first snapshot that showed it, ns since base. NaN when
 * it fired already in the first one that was looked at.
 */
export type AlertLog = Readonly<Record<string, number>>;

const STUCK_NS = 1e9;
const RETRY_SHARE = 0.05;
const RETRY_RATE = 100;
const FOLIO_P99_NS = 100e6;
const WRITER_NS = 100e6;
const UNKNOWN_SHARE = 0.01;
const FRESH_RETRIES = 20;

function judged(firing: boolean, value: string, example: Lifecycle | null = null): Judgement {
  return { firing, value, why: '', example };
}

function unobserved(why: string): Judgement {
  return { firing: null, value: '?', why, example: null };
}

const attempts = (s: Snapshot): number => {
  const { success, retry, completed, error } = s.counts.vmaLock;
  return success + retry + completed + error;
};

/** Increase since the snapshot before; over the session without one. */
function since(now: Snapshot, before: Snapshot | null, of: (s: Snapshot) => number): number {
  return of(now) - (before === null || before.time >= now.time ? 0 : of(before));
}

export const CONDITIONS: readonly Condition[] = [
  {
    id: 'stuck',
    title: 'a fault is stuck',
    severity: 'critical',
    limit: `> ${formatDuration(STUCK_NS)} in flight`,
    judge: (now) => {
      const [oldest] = now.inFlight;
      if (oldest === undefined) return judged(false, 'none in flight');
      const age = lasted(oldest, now.time).lo;
      return judged(age > STUCK_NS, formatDuration(age), oldest);
    },
  },
  {
    id: 'retry',
    title: 'excessive RETRY fallbacks',
    severity: 'warning',
    limit: `> ${RETRY_SHARE * 100}% and > ${RETRY_RATE}/s`,
    judge: (now, before) => {
      const retry = (s: Snapshot): number => s.counts.vmaLock.retry;
      const share = since(now, before, retry) / (since(now, before, attempts) || Number.NaN);
      const rate = perSecond(now, before, retry);
      const pace = Number.isNaN(rate) ? (retry(now) * 1e9) / (now.durationNs || Number.NaN) : rate;
      if (Number.isNaN(share)) return judged(false, 'no attempt under a VMA lock');
      return judged(share > RETRY_SHARE && pace > RETRY_RATE, `${formatShare(share)}, ${formatRate(pace)}`);
    },
  },
  {
    id: 'avoidable',
    title: 'most retries were avoidable',
    severity: 'warning',
    limit: `> 50% of ≥ ${FRESH_RETRIES} judged`,
    judge: (now) => {
      const { avoidable, notAvoidable } = now.retry;
      const all = avoidable + notAvoidable;
      if (all === 0) return now.retry.total === 0 ? judged(false, 'no retry') : unobserved('no retry could be judged');
      return judged(all >= FRESH_RETRIES && avoidable / all > 0.5, `${formatShare(avoidable / all)}`);
    },
  },
  {
    id: 'folio',
    title: 'long waits for folios',
    severity: 'warning',
    limit: `p99 > ${formatDuration(FOLIO_P99_NS)}`,
    judge: (now) => {
      const { folio } = now.waits;
      const worst = now.slowest.find((l) => l.waits.some((wait) => wait.kind === 'folio')) ?? null;
      if (folio.count === 0) return judged(false, 'no wait');
      return judged(folio.p99Ns > FOLIO_P99_NS, `p99 ${formatDuration(folio.p99Ns)}`, worst);
    },
  },
  {
    id: 'writer',
    title: 'a writer stalled on its locks',
    severity: 'warning',
    limit: `> ${formatDuration(WRITER_NS)}`,
    judge: (now) => {
      if (!now.mmapLock.known && now.writers.length === 0)
        return unobserved('the mmap_lock tracepoints are not attached');
      const worst = Math.max(
        0,
        ...now.writers.flatMap((w) => [w.worstWaitNs, w.vmaWait.count > 0 ? w.vmaWait.maxNs : 0]),
      );
      return judged(worst > WRITER_NS, worst === 0 ? 'no writer waited' : formatDuration(worst));
    },
  },
  {
    id: 'inversion',
    title: 'a writer behind a lower priority',
    severity: 'warning',
    limit: '> 0',
    judge: (now) => {
      if (!now.mmapLock.known && now.writers.length === 0)
        return unobserved('the mmap_lock tracepoints are not attached');
      const count = now.writers.reduce((sum, w) => sum + w.inverted, 0);
      return judged(count > 0, formatCount(count));
    },
  },
  {
    id: 'dropped',
    title: 'events dropped: the ring was full',
    severity: 'warning',
    limit: '> 0',
    judge: (now) => judged(now.events.dropped > 0, formatCount(now.events.dropped)),
  },
  {
    id: 'missed',
    title: 'program runs missed by the kernel',
    severity: 'warning',
    limit: '> 0',
    judge: (now) => judged(now.events.missed > 0, formatCount(now.events.missed)),
  },
  {
    id: 'unknown',
    title: 'retries without a known cause',
    severity: 'warning',
    limit: `> ${UNKNOWN_SHARE * 100}%`,
    judge: (now) => {
      const { total, byCause } = now.retry;
      if (total === 0) return judged(false, 'no retry');
      return judged(byCause.unknown / total > UNKNOWN_SHARE, formatShare(byCause.unknown / total));
    },
  },
  {
    id: 'release',
    title: 'a release outside its interval',
    severity: 'critical',
    limit: '> 0',
    judge: (now) => {
      const rules = Object.values(now.release);
      const checked = rules.reduce((sum, rule) => sum + rule.checked, 0);
      if (checked === 0) return unobserved('no release is seen exactly in this session');
      const outside = rules.reduce((sum, rule) => sum + rule.outside, 0);
      return judged(outside > 0, `${formatCount(outside)} of ${formatCount(checked)}`);
    },
  },
];

/** The log after another snapshot: what fires keeps its time, what starts gets this one, what ceased is gone. */
export function nextLog(log: AlertLog, now: Snapshot, before: Snapshot | null): AlertLog {
  const next: Record<string, number> = {};
  for (const condition of CONDITIONS) {
    if (condition.judge(now, before).firing !== true) continue;
    next[condition.id] = before === null ? Number.NaN : (log[condition.id] ?? now.time);
  }
  return next;
}
