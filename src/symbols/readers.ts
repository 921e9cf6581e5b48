// SPDX-License-Identifier: MIT

/** At the same time: libuv's pool has four threads, and reads that hang must leave some for everybody else. */
const AT_ONCE = 2;

/** Reads in the background, a few at a time, first come first served. */
export class Readers {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  readonly #idle: (() => void)[] = [];

  get busy(): boolean {
    return this.#running > 0;
  }

  /** `task` must not reject. */
  run(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.#next();
  }

  /** Resolves when nothing runs or waits, at the latest after `ms`. */
  idle(ms: number): Promise<void> {
    if (!this.busy) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #next(): void {
    while (this.#running < AT_ONCE) {
      const task = this.#waiting.shift();
      if (task === undefined) break;
      this.#running++;
      void task().finally(() => {
        this.#running--;
        this.#next();
      });
    }
    if (this.#running === 0) for (const done of this.#idle.splice(0)) done();
  }
}
