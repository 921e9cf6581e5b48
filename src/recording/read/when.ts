// SPDX-License-Identifier: MIT
/** Times people name in a recording: so long after its begin, or by the clock on the wall. */
import { timeOfWall, wallNs } from '../../core/events/clocks.js';
import type { SessionInfo } from '../../core/events/session.js';
import { ExitCode, UserError } from '../../errors.js';
import type { TimeRange } from './slice.js';

export type When =
  /** ns since the session's base. */
  | { readonly kind: 'offset'; readonly ns: number; readonly text: string }
  /** ms since the epoch. */
  | { readonly kind: 'date'; readonly ms: number; readonly text: string }
  /** ms since midnight, local time, of the day the recording begins; of the next where it begins later in the day. */
  | { readonly kind: 'clock'; readonly ms: number; readonly text: string };

const UNIT_NS: Readonly<Record<string, number>> = { '': 1e9, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const DAY_MS = 86_400_000;

/** `12.5`, `12.5s`, `250ms`, `3m`, `1h`, `23:59:07.5`, `2026-03-01T23:59:07Z` (without a zone: local time). Null for anything else. */
export function parseWhen(text: string): When | null {
  const offset = /^(\d+(?:\.\d+)?)(ms|[smh]?)$/.exec(text);
  if (offset) return { kind: 'offset', ns: Math.round(Number(offset[1]) * (UNIT_NS[offset[2] ?? ''] ?? 0)), text };
  const clock = /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d(?:\.\d{1,9})?))?$/.exec(text);
  if (clock) {
    const ms = (Number(clock[1]) * 60 + Number(clock[2])) * 60_000 + Number(clock[3] ?? 0) * 1000;
    return { kind: 'clock', ms, text };
  }
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : { kind: 'date', ms, text };
}

/** ms since the epoch, of a time in ns since the session's base; null when the session holds no clock. */
export function wallClock(session: SessionInfo, time: number): number | null {
  const ns = wallNs(session, time);
  return ns === null ? null : Number(ns / 1000n) / 1000;
}

/** Throws a `UserError` (exit code 2) for a clock time in a recording that has no clock, or a time range without length. */
export function timeRangeOf(session: SessionInfo, from: When | undefined, to: When | undefined): TimeRange {
  const range = {
    from: from === undefined ? 0 : Math.max(0, timeOf(session, from)),
    to: to === undefined ? Number.POSITIVE_INFINITY : timeOf(session, to),
  };
  if (range.to > range.from) return range;
  const why =
    to === undefined ? 'nothing lies between' : `${to.text} is not later than ${from?.text ?? 'the beginning'}`;
  throw new UserError('cannot take that part of the recording', why, 'give a later --to', ExitCode.Usage);
}

function timeOf(session: SessionInfo, when: When): number {
  if (when.kind === 'offset') return when.ns;
  const begin = wallClock(session, 0);
  if (begin === null) {
    throw new UserError(
      `cannot find ${when.text} in the recording`,
      'it has no wall-clock time',
      'give the time in seconds since its beginning',
      ExitCode.Usage,
    );
  }
  if (when.kind === 'date') return atWall(session, when.ms);
  const midnight = new Date(begin);
  midnight.setHours(0, 0, 0, 0);
  const ms = midnight.getTime() + when.ms;
  return atWall(session, ms < begin ? ms + DAY_MS : ms);
}

/** By the pairs of the whole session, not the first one's: it may have been suspended, or its clock set. */
function atWall(session: SessionInfo, ms: number): number {
  return timeOfWall(session, BigInt(Math.round(ms * 1000)) * 1000n) ?? 0;
}
