// SPDX-License-Identifier: MIT
/** A bounded number of whole lifecycles: the latest, and the slowest. */
import type { FaultRecord } from '../lifecycle/record.js';
import type { RecordPool } from '../lifecycle/record-pool.js';

export const KEPT_LIFECYCLES = 64;

/** The latest, in a ring. */
export class Latest {
  readonly #ring: FaultRecord[] = [];
  readonly #pool: RecordPool;
  #next = 0;
  /** How many came. */
  count = 0;

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  add(fault: FaultRecord): void {
    this.count++;
    const oldest = this.#ring[this.#next];
    if (oldest !== undefined) this.#pool.letGo(oldest);
    this.#ring[this.#next] = this.#pool.hold(fault);
    this.#next = (this.#next + 1) % KEPT_LIFECYCLES;
  }

  newestFirst(): FaultRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)].reverse();
  }
}

/** The slowest, by time from first to last step, in a heap with the least slow on top. */
export class Slowest {
  readonly #heap: FaultRecord[] = [];
  readonly #pool: RecordPool;
  #least = -1;

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  add(fault: FaultRecord): void {
    const heap = this.#heap;
    const full = heap.length === KEPT_LIFECYCLES;
    if (full && total(fault) <= this.#least) return;
    this.#pool.hold(fault);
    if (full) {
      this.#pool.letGo(heap[0] as FaultRecord);
      heap[0] = fault;
      this.#sink(0);
    } else {
      heap.push(fault);
      this.#rise(heap.length - 1);
    }
    this.#least = total(heap[0] as FaultRecord);
  }

  longestFirst(): FaultRecord[] {
    return [...this.#heap].sort((x, y) => total(y) - total(x) || x.first - y.first);
  }

  #rise(from: number): void {
    let i = from;
    while (i > 0 && this.#swapIfLess(i, (i - 1) >> 1)) i = (i - 1) >> 1;
  }

  #sink(from: number): void {
    let i = from;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= this.#heap.length) return;
      const right = left + 1;
      const child =
        right < this.#heap.length && total(this.#heap[right] as FaultRecord) < total(this.#heap[left] as FaultRecord)
          ? right
          : left;
      if (!this.#swapIfLess(child, i)) return;
      i = child;
    }
  }

  #swapIfLess(child: number, parent: number): boolean {
    const c = this.#heap[child] as FaultRecord;
    const p = this.#heap[parent] as FaultRecord;
    if (total(c) >= total(p)) return false;
    this.#heap[child] = p;
    this.#heap[parent] = c;
    return true;
  }
}

function total(fault: FaultRecord): number {
  return fault.last - fault.first;
}
