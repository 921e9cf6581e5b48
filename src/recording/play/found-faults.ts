// SPDX-License-Identifier: MIT
/** The latest and the longest of the faults that somebody asks for. */
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { MAX_FOUND } from './replay.js';

export class FoundFaults {
  readonly #keep: (fault: Lifecycle) => boolean;
  #latest: Lifecycle[] = [];
  #longest: Lifecycle[] = [];

  constructor(keep: (fault: Lifecycle) => boolean) {
    this.#keep = keep;
  }

  add(fault: Lifecycle): void {
    if (!this.#keep(fault)) return;
    this.#latest.push(fault);
    if (this.#latest.length >= 2 * MAX_FOUND) this.#latest = this.#latest.slice(-MAX_FOUND);
    this.#longest.push(fault);
    if (this.#longest.length >= 2 * MAX_FOUND) this.#longest = longest(this.#longest);
  }

  /** By the time they ended. */
  list(): Lifecycle[] {
    const all = [...this.#latest.slice(-MAX_FOUND), ...longest(this.#longest)];
    return [...new Map(all.map((fault) => [fault.id, fault])).values()].sort((x, y) => x.last - y.last);
  }
}

function longest(faults: readonly Lifecycle[]): Lifecycle[] {
  return [...faults].sort((x, y) => y.last - y.first - x.last + x.first).slice(0, MAX_FOUND);
}
