// SPDX-License-Identifier: MIT
/** Rows of the pages that retried, by mm and address. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { AddressSums, type ProcessSums } from './sums.js';

const MAX_ADDRESSES = 16_384;
const PAGE_SIZE = 4096;
/** Page numbers of 47-bit addresses: with the number of the mm they fit a double, which is a cheaper key than a string. */
const PAGE_BITS = 35;

export class Addresses {
  readonly #rows: BoundedMap<number | string, AddressSums> = new BoundedMap(MAX_ADDRESSES, (row) => row.retries);
  #nextMm = 0;

  get evicted(): number {
    return this.#rows.evicted;
  }

  values(): IterableIterator<AddressSums> {
    return this.#rows.values();
  }

  /** The row of the page this fault is on, new if need be. */
  of(fault: FaultRecord, process: ProcessSums): AddressSums {
    // A process that execs is another mm: the same address there is another page.
    if (process.mm !== fault.mm) {
      process.mm = fault.mm;
      process.mmIndex = this.#nextMm++;
    }
    const page = fault.address / PAGE_SIZE;
    const small = page < 2 ** PAGE_BITS && process.mmIndex < 2 ** (53 - PAGE_BITS);
    return this.#at(small ? process.mmIndex * 2 ** PAGE_BITS + page : `${process.mmIndex}:${page}`, fault);
  }

  #at(key: number | string, fault: FaultRecord): AddressSums {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new AddressSums(fault);
      this.#rows.set(key, row);
    }
    return row;
  }
}
