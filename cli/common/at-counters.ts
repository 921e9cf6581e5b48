// SPDX-License-Identifier: MIT
/**
 * A document of one instant: made where the kernel's counters came, not between them, where events are newer than their
 * counts. A stream that says nothing for a whole interval has no newer counters to wait for; a session of our own always
 * has, however long this process got no CPU.
 */
import type { EventBatch } from '../../src/core/events/batch.js';
import { levelAfter } from '../../src/core/events/level.js';
import type { Sink } from './feed.js';

export class AtCounters implements Sink {
  readonly #sink: Sink;
  readonly #make: () => void;
  readonly #countersCome: boolean;
  #asked = false;
  /** Nothing that was pushed is newer than the counters. */
  #level = false;
  /** Nothing came since it was asked for. */
  #silent = false;
  #pushing = false;

  /** `make` is called where the counters came last, or else come next, once it was asked for. `countersCome`: they will. */
  constructor(sink: Sink, make: () => void, countersCome: boolean) {
    this.#sink = sink;
    this.#make = make;
    this.#countersCome = countersCome;
  }

  /** Once an interval. */
  ask(): void {
    const inVain = this.#asked && this.#silent && !this.#countersCome;
    if (!this.#pushing && (this.#level || inVain)) this.#answer();
    else this.#asked = true;
    this.#silent = true;
  }

  async push(batch: EventBatch): Promise<void> {
    this.#pushing = true;
    this.#silent = false;
    try {
      await this.#sink.push(batch);
    } finally {
      this.#pushing = false;
    }
    const level = levelAfter(batch);
    this.#level = level ?? this.#level;
    if (this.#asked && level === true) this.#answer();
  }

  #answer(): void {
    this.#asked = false;
    this.#make();
  }
}
