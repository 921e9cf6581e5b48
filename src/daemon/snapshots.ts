// SPDX-License-Identifier: MIT
/**
 * Snapshots of the session for those who ask the daemon. Between two readings of the kernel's counters what was decoded
 * is newer than they are: what is exported is made where they came, so that all its figures are of one instant.
 */
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { EventBatch } from '../core/events/batch.js';
import { levelAfter } from '../core/events/level.js';

/** A snapshot that old is as good as a new one. */
const FRESH_MS = 250;
/** Counters come four times a second. Who asks is not kept waiting for a source that hangs. */
const PATIENCE_MS = 1000;

export class Snapshots {
  readonly #make: () => Snapshot;
  readonly #patienceMs: number;
  #latest: { readonly snapshot: Snapshot; readonly at: number };
  /** Nothing of the kernel's came behind its counters. */
  #level = false;
  #waiting: { readonly promise: Promise<Snapshot>; answer(): void } | null = null;

  /** `make`: costs milliseconds, and is called when somebody asks. */
  constructor(make: () => Snapshot, patienceMs: number = PATIENCE_MS) {
    this.#make = make;
    this.#patienceMs = patienceMs;
    this.#latest = { snapshot: make(), at: performance.now() };
  }

  /** At most a quarter of a second old; behind the end, that of the end. */
  now(): Snapshot {
    if (performance.now() - this.#latest.at > FRESH_MS) this.#renew();
    return this.#latest.snapshot;
  }

  /** As the session stood when the kernel's counters came last, or, where more was decoded since, when they come next. */
  level(): Promise<Snapshot> {
    if (this.#level) return Promise.resolve(this.#renew());
    this.#waiting ??= this.#wait();
    return this.#waiting.promise;
  }

  /** To be called with every batch, when the sums have it. */
  pushed(batch: EventBatch): void {
    this.#level = levelAfter(batch) ?? this.#level;
    if (this.#level && batch.length > 0) this.#waiting?.answer();
  }

  /** No more counters will come. */
  end(): void {
    this.#level = true;
    this.#latest = { ...this.#latest, at: Number.NEGATIVE_INFINITY };
    this.#waiting?.answer();
  }

  #renew(): Snapshot {
    const snapshot = this.#make();
    this.#latest = { snapshot, at: performance.now() };
    return snapshot;
  }

  #wait(): { readonly promise: Promise<Snapshot>; answer(): void } {
    let resolve: (snapshot: Snapshot) => void;
    const promise = new Promise<Snapshot>((settle) => {
      resolve = settle;
    });
    const answer = (): void => {
      clearTimeout(late);
      this.#waiting = null;
      resolve(this.#renew());
    };
    const late = setTimeout(answer, this.#patienceMs);
    return { promise, answer };
  }
}
