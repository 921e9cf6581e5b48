// SPDX-License-Identifier: MIT
/** Plays a recording: moves it by the clock, and hands out the state whenever it is time to look. */
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { MAX_SPEED, MIN_SPEED, type Replay } from '../../src/recording/play/replay.js';

/** Often enough that the position moves smoothly, seldom enough to cost nothing. */
const TICK_MS = 50;
/** Between two looks at a seek that is under way. */
const SEEK_LOOK_MS = 250;
/** The part of the recording an arrow key seeks by. */
const SEEK_PART = 0.02;
const LEAST_SEEK_NS = 1e6;
const SPEEDS: readonly number[] = [MIN_SPEED, 0.2, 0.5, 1, 2, 5, 10, 20, 50, MAX_SPEED];
/** `n` on a marker goes to the one behind it, though times are not quite equal. */
const SLACK_NS = 1e6;

export interface PlaybackOptions {
  readonly replay: Replay;
  /** ms between two looks while it plays. */
  readonly intervalMs: number;
  /**
   * `before`: the state that rates are made against. Absent: what was shown last. Otherwise that is no earlier state of
   * this: there was a jump; null: none is known, so they are those of the session up to here.
   */
  show(snapshot: Snapshot, before?: Snapshot | null): void;
  /** The position moved, though it is not time for another look. */
  moved(): void;
}

export class Playback {
  readonly replay: Replay;
  intervalMs: number;
  readonly #options: PlaybackOptions;
  #timer: NodeJS.Timeout | null = null;
  #ticked = 0;
  #looked = 0;
  #ticking = false;

  constructor(options: PlaybackOptions) {
    this.#options = options;
    this.replay = options.replay;
    this.intervalMs = options.intervalMs;
  }

  start(): void {
    this.#ticked = performance.now();
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** At its end there is nothing left to play: it begins again. */
  pause(): void {
    const { replay } = this;
    if (replay.atEnd && replay.seeking === null) {
      replay.paused = false;
      void this.seek(0);
    } else {
      replay.paused = !replay.paused;
    }
  }

  async seek(time: number): Promise<void> {
    if (await this.replay.seek(time)) this.#look(this.replay.before);
  }

  /** From the beginning, at this speed. */
  async begin(speed: number): Promise<void> {
    await this.seek(0);
    this.replay.speed = speed;
    this.replay.paused = false;
  }

  /**
   * To where something happens: the end of the longest fault, before it ended. Resolves to that fault; to null, at the
   * end, where there was none.
   */
  async open(): Promise<Lifecycle | null> {
    const { longest, duration } = this.replay;
    await this.seek(longest === null ? duration : longest.last - 1);
    return longest;
  }

  seekBy(direction: 1 | -1): Promise<void> {
    const { replay } = this;
    const step = Math.max(LEAST_SEEK_NS, replay.duration * SEEK_PART);
    // Keys held down add up, though the first seek has not arrived yet.
    return this.seek((replay.seeking ?? replay.position) + direction * step);
  }

  async step(): Promise<void> {
    await this.replay.step();
    this.#look();
  }

  faster(): void {
    this.replay.speed = SPEEDS.find((speed) => speed > this.replay.speed) ?? MAX_SPEED;
  }

  slower(): void {
    this.replay.speed = SPEEDS.findLast((speed) => speed < this.replay.speed) ?? MIN_SPEED;
  }

  /** To the next marker, or the last one. Resolves to what it says; to null when there is none. */
  async marker(direction: 1 | -1): Promise<string | null> {
    const { markers, seeking, position } = this.replay;
    const at = seeking ?? position;
    const found =
      direction === 1
        ? markers.find((marker) => marker.time > at + SLACK_NS)
        : markers.findLast((marker) => marker.time < at - SLACK_NS);
    if (found === undefined) return null;
    await this.seek(found.time);
    return `${found.kind}: ${found.text}`;
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    const elapsed = now - this.#ticked;
    this.#ticked = now;
    if (this.replay.seeking !== null) {
      if (now - this.#looked >= SEEK_LOOK_MS) this.#look(null);
      return;
    }
    if (this.#ticking) return;
    this.#ticking = true;
    const moved = await this.replay.tick(elapsed).finally(() => {
      this.#ticking = false;
    });
    if (!moved || this.#timer === null) return;
    if (performance.now() - this.#looked >= this.intervalMs || this.replay.atEnd) this.#look();
    else this.#options.moved();
  }

  #look(before?: Snapshot | null): void {
    this.#looked = performance.now();
    this.#options.show(this.replay.snapshot(), before);
  }
}

/** `12.5` s, `1:02`, `1:00:02.5` from the beginning, `-3` from the end; null for anything else. ns. */
export function parseTime(text: string, duration: number): number | null {
  const match = /^(-)?(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)s?$/.exec(text.trim());
  if (match === null) return null;
  const [, minus, hours = '0', minutes = '0', seconds = '0'] = match;
  const time = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e9;
  return minus === undefined ? time : duration - time;
}
