// SPDX-License-Identifier: MIT
/** A document of one instant: made when the kernel's counters came, not between them, where events are newer than their counts. */
import { type EventBatch, UserKind } from '../../src/core/events/batch.js';
import type { Sink } from './feed.js';

export class AtCounters implements Sink {
  readonly #sink: Sink;
  readonly #make: () => void;
  #asked = false;

  /** `make` is called after the next counters once it was asked for. */
  constructor(sink: Sink, make: () => void) {
    this.#sink = sink;
    this.#make = make;
  }

  ask(): void {
    this.#asked = true;
  }

  async push(batch: EventBatch): Promise<void> {
    await this.#sink.push(batch);
    if (!this.#asked || batch.length === 0 || batch.kind[batch.length - 1] !== UserKind.Counter) return;
    this.#asked = false;
    this.#make();
  }
}
