// SPDX-License-Identifier: MIT
/** A set of numbers that forgets the oldest ones when there are too many. */
export class BoundedSet {
  readonly #numbers: Set<number> = new Set();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#numbers.size;
  }

  has(number: number): boolean {
    return this.#numbers.has(number);
  }

  add(number: number): void {
    if (this.#numbers.size >= this.#most) this.#forget();
    this.#numbers.add(number);
  }

  delete(number: number): void {
    this.#numbers.delete(number);
  }

  /** An eighth at a time: to find the first entry of a Set takes as long as entries were deleted before it. */
  #forget(): void {
    let left = Math.max(1, this.#most >> 3);
    for (const number of this.#numbers) {
      this.#numbers.delete(number);
      if (--left === 0) return;
    }
  }
}
