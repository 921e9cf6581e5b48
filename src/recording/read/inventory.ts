// SPDX-License-Identifier: MIT
/** What `info` says of a recording, as the document that `--json` prints. */

import type { SessionInfo } from '../../core/events/session.js';
import { CounterGroup, UserKind } from '../../core/events/user-rows.js';
import { LAYOUT_DIGEST, VlCounter, VlKindNames } from '../../schema/events.gen.js';
import { FORMAT_VERSION } from '../format/columns.js';
import type { Marker } from './marks.js';
import type { Scan } from './scan.js';
import { wallClock } from './when.js';

export interface Inventory {
  readonly v: 1;
  readonly file: string;
  readonly losses: Losses;
  readonly whole: boolean;
  readonly bytes: number;
  readonly format: number;
  readonly messages: number;
  /** Of a rotated recording: the first part that was read and how many; null for one in one piece. */
  readonly parts: { readonly first: number; readonly count: number } | null;
  /** Of a flight recorder: why it was written out. */
  readonly written: string | null;
  readonly rows: {
    /** Records of the kernel. */
    readonly events: number;
    /** Counters and names, which the user side wrote. */
    readonly others: number;
    readonly perKind: Readonly<Record<string, number>>;
  };
  readonly time: {
    /** ns since the session's base; null without rows. */
    readonly firstNs: number | null;
    readonly lastNs: number | null;
    readonly durationNs: number;
    /** ISO 8601, of the first row; null when the recording holds no clock. */
    readonly began: string | null;
    /** The longest time without an event. */
    readonly silence: { readonly atNs: number; readonly ns: number } | null;
  };
  readonly markers: readonly Marker[];
  readonly session: SessionInfo;
}

export interface Losses {
  /** How it was cut off, in words. */
  readonly cutOff: string | null;
  /**
   * Of one that was cut off: the longest time between two samples of its counters, ns. The recorder writes all it has at
   * each, so when it was killed no more than about this lies behind the last row. null: not cut off, or no two samples.
   */
  readonly longestPauseNs: number | null;
  /** Where it is damaged. */
  readonly damage: string | null;
  /** Records the ring had no room for. */
  readonly dropped: { readonly total: number; readonly perKind: Readonly<Record<string, number>> };
  /** Runs of our programs that the kernel skipped. */
  readonly missed: { readonly total: number; readonly perProgram: Readonly<Record<string, number>> };
  /** Records the kernel counted that are neither here nor dropped; null where the last counters are not the final ones. */
  readonly unaccounted: number | null;
  /** Lifecycles that could not be opened because there was no room for a per-task record. */
  readonly notOpened: number;
  /** Evidence about a task that another task's overwrote; null in a recording of before that was counted. */
  readonly notesLost: number | null;
}

const TWO_32 = 2 ** 32;
const USER_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(UserKind).map(([name, kind]) => [kind, name]),
);

export function inventory(file: string, scan: Scan): Inventory {
  const { session, part, rows } = scan;
  const perKind: Record<string, number> = {};
  let events = 0;
  let others = 0;
  rows.forEach((count, kind) => {
    if (count === 0) return;
    perKind[kind < UserKind.Counter ? kindName(kind) : (USER_NAMES[kind] ?? `kind ${kind}`)] = count;
    if (kind < UserKind.Counter) events += count;
    else others += count;
  });
  const known = !Number.isNaN(scan.first);
  const began = known ? wallClock(session, scan.first) : null;
  // A recording that was begun and ended in the middle of a session is one in one piece as well.
  const single = part === null || (part.number === 1 && scan.parts === 1 && scan.ended);
  return {
    v: 1,
    file,
    losses: losses(scan, events),
    whole: scan.error === null && scan.truncated === null,
    bytes: scan.bytes,
    format: FORMAT_VERSION,
    messages: scan.messages,
    parts: single ? null : { first: part.number, count: scan.parts },
    written: part?.written?.why ?? null,
    rows: { events, others, perKind },
    time: {
      firstNs: known ? scan.first : null,
      lastNs: known ? scan.last : null,
      durationNs: known ? scan.last - scan.first : 0,
      began: began === null ? null : new Date(began).toISOString(),
      silence: scan.silence.ns > 0 ? { atNs: scan.silence.time, ns: scan.silence.ns } : null,
    },
    markers: scan.markers,
    session,
  };
}

function losses(scan: Scan, events: number): Losses {
  const { session, counters } = scan;
  const dropped: Record<string, number> = {};
  const missed: Record<string, number> = {};
  let emitted = 0;
  for (const [key, value] of counters) {
    const [group, index] = [Math.floor(key / TWO_32), key % TWO_32];
    if (group === CounterGroup.Emitted) emitted += value;
    else if (group === CounterGroup.Dropped && value > 0) dropped[kindName(index)] = value;
    else if (group === CounterGroup.Missed && value > 0)
      missed[session.programs[index]?.name ?? `program ${index}`] = value;
  }
  const kernel = (counter: number): number | undefined => counters.get(CounterGroup.Kernel * TWO_32 + counter);
  const notes = kernel(VlCounter.PENDING_LOST);
  return {
    cutOff: scan.truncated,
    longestPauseNs: scan.truncated === null || scan.pause === 0 ? null : scan.pause,
    damage: scan.error instanceof Error ? scan.error.message : null,
    dropped: { total: sum(dropped), perKind: dropped },
    missed: { total: sum(missed), perProgram: missed },
    unaccounted: scan.ended && scan.error === null ? emitted - events - sum(dropped) : null,
    notOpened: (kernel(VlCounter.STATE_LOST) ?? 0) + (kernel(VlCounter.NESTED_LOST) ?? 0),
    notesLost: notes ?? (session.layout === LAYOUT_DIGEST ? 0 : null),
  };
}

function kindName(kind: number): string {
  return VlKindNames[kind] ?? `kind ${kind}`;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
