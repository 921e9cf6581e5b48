// SPDX-License-Identifier: MIT
/** Is progress made: pages that retry again, pages reclaimed and needed again, herds on one folio. */

import type { AttemptRecord, WaitRecord } from '../lifecycle/attempt-record.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { Herds } from './herds.js';
import { slotOf } from './page-slot.js';
import type { ProgressStats } from './snapshot-rows.js';

/** Slots, a power of two. A slot is overwritten by the next page that falls on it. */
const PAGES = 1 << 16;
const REFAULT_NS = 1e9;

/** When each page (mm, address) was mapped by a swap fault last. Three typed arrays: nothing is allocated per fault. */
class SwappedIn {
  readonly #mm: Float64Array = new Float64Array(PAGES);
  readonly #address: Float64Array = new Float64Array(PAGES);
  readonly #time: Float64Array = new Float64Array(PAGES);

  set(mm: number, address: number, time: number): void {
    const slot = slotOf(mm, address) & (PAGES - 1);
    this.#mm[slot] = mm;
    this.#address[slot] = address;
    this.#time[slot] = time;
  }

  /** NaN when not known. */
  get(mm: number, address: number): number {
    const slot = slotOf(mm, address) & (PAGES - 1);
    return this.#mm[slot] === mm && this.#address[slot] === address ? (this.#time[slot] as number) : Number.NaN;
  }
}

export class Progress {
  #pagesAgain = 0;
  #mostRetries = 0;
  #again = 0;
  #refaults = 0;
  #folioUnknown = 0;
  readonly #swappedIn: SwappedIn = new SwappedIn();
  readonly #herds: Herds = new Herds();

  get evicted(): number {
    return this.#herds.evicted;
  }

  /** A page retried, for the `times`-th time. */
  retried(times: number): void {
    if (times > 1) this.#again++;
    if (times === 2) this.#pagesAgain++;
    if (times > this.#mostRetries) this.#mostRetries = times;
  }

  swapFault(fault: FaultRecord): void {
    if (Number.isNaN(fault.address)) return;
    // A fault that began before that one ended is no refault, but another that wanted the same page.
    const since = fault.first - this.#swappedIn.get(fault.mm, fault.address);
    if (since >= 0 && since < REFAULT_NS) this.#refaults++;
  }

  closed(fault: FaultRecord): void {
    if (!fault.swapFault || Number.isNaN(fault.address)) return;
    if (fault.how === 'ok-vma' || fault.how === 'ok-mmap') this.#swappedIn.set(fault.mm, fault.address, fault.last);
  }

  /** A folio wait inside `attempt` is over. */
  waited(fault: FaultRecord, attempt: AttemptRecord | null, wait: WaitRecord): void {
    const folio = attempt?.folio ?? 0;
    if (folio === 0) {
      this.#folioUnknown++;
      return;
    }
    let again = false;
    for (const other of fault.attempts) if (other !== attempt && other.folio === folio) again = true;
    this.#herds.waited(folio, wait.start, wait.end, again);
  }

  /** `all`: every swap fault is followed. */
  stats(all: boolean): ProgressStats {
    return {
      pagesAgain: this.#pagesAgain,
      mostRetries: this.#mostRetries,
      again: this.#again,
      refaults: all ? this.#refaults : null,
      herds: [...this.#herds.sizes],
      largestHerd: this.#herds.largest,
      folioUnknown: this.#folioUnknown,
    };
  }
}
