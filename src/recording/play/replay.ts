// SPDX-License-Identifier: MIT
/**
 * `Replay`: a recording with a position in it, which can be played, stepped through and sought in. What the dashboard
 * drives; `openReplay` of player.ts opens one.
 */

import type { Snapshot } from '../../core/aggregate/snapshot.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Marker } from '../read/marks.js';

export const MIN_SPEED = 0.1;
/** Faults found again, of the latest and of the longest: some megabytes. */
export const MAX_FOUND = 1000;
export const MAX_SPEED = 100;
/** Rates at a place that was sought are those of so long before it, ns. */
export const RATE_NS = 1e9;

/**
 * The state at a position is that after every row up to the first one that is younger: the same position of the same
 * recording gives the same snapshot, however it was come to.
 */
export interface Replay {
  /** With `from`: as if the session had begun there; all times of rows, markers and the position count from there. */
  readonly session: SessionInfo;
  /** Where it stands: ns since `session`'s base, [0, duration]. It moves while a seek is under way. */
  readonly position: number;
  /**
   * Settles when the recording was read once, which begins when it is opened. Until then it stands where that reading is,
   * its duration is up to there, and it has no markers. Rejects with a `UserError` when its time range has no rows.
   */
  readonly surveyed: Promise<void>;
  /** It has not been read once yet. */
  readonly reading: boolean;
  /** Position of the end, ns. */
  readonly duration: number;
  readonly atEnd: boolean;
  /** By time: losses, damage, and what the finders that it was opened with found. */
  readonly markers: readonly Marker[];
  /** The longest fault of the recording; null where there is none. */
  readonly longest: Lifecycle | null;
  /** Recorded time per time, in [MIN_SPEED, MAX_SPEED]. 1 unless set; what is set is brought into the range. */
  speed: number;
  /** True at first. At the end it stays as it is, and `atEnd` says why nothing moves. */
  paused: boolean;
  /** Where a seek under way goes to, ns; null while none is. */
  readonly seeking: number | null;
  /** How the recording was cut off, in words; null when it is whole. */
  readonly truncated: string | null;
  /** Damage in the recording: what comes before it is shown. A `UserError`, or null. */
  readonly error: unknown;

  /**
   * Moves by `elapsedMs` of the caller's time at `speed`; nothing while paused or at the end. To be called some times a
   * second; a call while another one or a seek is under way does nothing. Settles when the position has been reached.
   * Resolves to whether the position moved.
   */
  tick(elapsedMs: number): Promise<boolean>;
  /**
   * Goes to a time, brought into [0, duration]. Backwards it goes on from the nearest state it kept, or from the start: it
   * takes as long as reading the rows up to there does, in slices of a few ms with the event loop's turn between, and
   * `snapshot()` shows how far it is. A newer seek ends this one: resolves to false then, to true when it arrived.
   */
  seek(time: number): Promise<boolean>;
  /** Pauses and goes on until one more lifecycle ends. Resolves to that lifecycle, to null at the end. */
  step(): Promise<Lifecycle | null>;
  /** The state at the position. */
  snapshot(): Snapshot;
  /** The state `RATE_NS` before the place the last seek arrived at; null when that was nearer to the beginning. */
  readonly before: Snapshot | null;
  /**
   * Reads the recording once more up to the position, for the faults that `keep` wants: the latest and the longest ones,
   * `MAX_FOUND` of each at most, in the order they ended. Resolves to null when `stopped` said so.
   */
  faults(keep: (fault: Lifecycle) => boolean, stopped: () => boolean): Promise<Lifecycle[] | null>;
  /** Frees the files. Ends what is under way. */
  close(): Promise<void>;
}
