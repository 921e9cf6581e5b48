// SPDX-License-Identifier: MIT
/** Where on the time line records were lost or runs missed, from the counters. Bounded, however long the recording is. */
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';

/**
 * Something to look at on the time line.
 * `loss`: the ring had no room for records. `missed`: the kernel skipped runs of our programs. `violation`: a rule of
 * `check` was violated. `alert`: an alert fired, or why a flight recorder was written out. `damage`: nothing can be read
 * from here on.
 */
export type MarkerKind = 'loss' | 'missed' | 'violation' | 'alert' | 'damage';

export interface Marker {
  /** ns, on the same scale as `Replay.position`. Losses: when they were noticed, the sample of the counters after them. */
  readonly time: number;
  readonly kind: MarkerKind;
  readonly text: string;
}

/** Finds moments worth a marker in the rows of a recording. */
export interface MarkFinder {
  push(batch: EventBatch): void;
  /** Of all rows pushed; nothing follows. Times as those of the rows. */
  markers(): readonly Marker[];
}

interface Mark {
  readonly time: number;
  until: number;
  lost: number;
  /** Runs missed, by program. */
  missed: Map<number, number>;
}

/** Marks at most; when there are more, those near to each other become one. */
const MAX_MARKS = 2048;
/** Samples of the counters are 250 ms apart: losses of one spell are one mark. */
const FIRST_GAP_NS = 600e6;

export class Marks {
  #marks: Mark[] = [];
  #gap: number = FIRST_GAP_NS;

  lost(time: number, records: number): void {
    this.#at(time).lost += records;
  }

  missed(time: number, program: number, runs: number): void {
    const { missed } = this.#at(time);
    missed.set(program, (missed.get(program) ?? 0) + runs);
  }

  markers(session: SessionInfo): Marker[] {
    const markers: Marker[] = [];
    for (const { time, until, lost, missed } of this.#marks) {
      const span = until > time ? ` within ${((until - time) / 1e9).toFixed(1)} s` : '';
      if (lost > 0) markers.push({ time, kind: 'loss', text: `${lost} records dropped${span}: the ring was full` });
      if (missed.size === 0) continue;
      const runs = [...missed.values()].reduce((sum, n) => sum + n, 0);
      const names = [...missed.keys()].map((program) => session.programs[program]?.name ?? `program ${program}`);
      markers.push({ time, kind: 'missed', text: `${runs} runs missed${span}: ${names.join(', ')}` });
    }
    return markers;
  }

  #at(time: number): Mark {
    const last = this.#marks.at(-1);
    if (last !== undefined && time - last.until <= this.#gap) {
      last.until = Math.max(last.until, time);
      return last;
    }
    if (this.#marks.length >= MAX_MARKS) this.#thin();
    const mark = { time, until: time, lost: 0, missed: new Map<number, number>() };
    this.#marks.push(mark);
    return mark;
  }

  /** Joins neighbours until half are left. */
  #thin(): void {
    while (this.#marks.length > MAX_MARKS / 2) {
      this.#gap *= 2;
      const kept: Mark[] = [];
      for (const mark of this.#marks) {
        const last = kept.at(-1);
        if (last === undefined || mark.time - last.until > this.#gap) {
          kept.push(mark);
          continue;
        }
        last.until = mark.until;
        last.lost += mark.lost;
        for (const [program, runs] of mark.missed) last.missed.set(program, (last.missed.get(program) ?? 0) + runs);
      }
      this.#marks = kept;
    }
  }
}
