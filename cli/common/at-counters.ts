// SPDX-License-Identifier: MIT
/**
 * A document of one instant: made where the kernel's counters came, not between them, where events are newer than their
 * counts. A stream that says nothing for a whole interval has no newer counters to wait for.
 */
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import type { Sink } from './feed.js';

export class AtCounters implements Sink {
  readonly #sink: Sink;
  readonly #make: () => void;
  #asked = false;
  /** The newest row is one of the counters. */
  #level = false;
  /** Nothing came since it was asked for. */
  #silent = false;
  #pushing = false;

  /** `make` is called where the counters came last, or else come next, once it was asked for. */
  constructor(sink: Sink, make: () => void) {
    this.#sink = sink;
    this.#make = make;
  }

  /** Once an interval. */
  ask(): void {
    if (!this.#pushing && (this.#level || (this.#asked && this.#silent))) this.#answer();
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
    if (batch.length === 0) return;
    this.#level = batch.kind[batch.length - 1] === UserKind.Counter;
    if (this.#asked && this.#level) this.#answer();
  }

  #answer(): void {
    this.#asked = false;
    this.#make();
  }
}
