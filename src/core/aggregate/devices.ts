// SPDX-License-Identifier: MIT
/** Sums by swap device type, an index of swap_info[]. */
import type { FaultRecord } from '../lifecycle/record.js';
import { DeviceSums } from './sums.js';

export class Devices extends Map<number, DeviceSums> {
  /** A fault came to a device. */
  seen(fault: FaultRecord): void {
    const { swap } = fault;
    if (swap === null || swap.missing) return;
    const sums = this.#of(swap.type, swap.synchronous);
    // swapoff and swapon of another device may give the type to that one.
    sums.synchronous = swap.synchronous;
    if (fault.device !== swap.type) sums.faults++;
    fault.device = swap.type;
  }

  /** Faults came to it that were counted and not followed. `synchronous`: as its block device says. */
  counted(type: number, synchronous: boolean, faults: number, reads: number): void {
    const sums = this.#of(type, synchronous);
    sums.faults += faults;
    sums.reads += reads;
  }

  #of(type: number, synchronous: boolean): DeviceSums {
    let sums = this.get(type);
    if (sums === undefined) {
      sums = new DeviceSums(type, synchronous);
      this.set(type, sums);
    }
    return sums;
  }
}
