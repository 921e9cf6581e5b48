// SPDX-License-Identifier: MIT
/** Sums by swap device type, an index of swap_info[]. */
import type { FaultRecord } from '../lifecycle/record.js';
import { DeviceSums } from './sums.js';

export class Devices extends Map<number, DeviceSums> {
  /** A fault came to a device. */
  seen(fault: FaultRecord): void {
    const { swap } = fault;
    if (swap === null || swap.missing) return;
    let sums = this.get(swap.type);
    if (sums === undefined) {
      sums = new DeviceSums(swap.type, swap.synchronous);
      this.set(swap.type, sums);
    }
    // swapoff and swapon of another device may give the type to that one.
    sums.synchronous = swap.synchronous;
    if (fault.device !== swap.type) sums.faults++;
    fault.device = swap.type;
  }
}
