// SPDX-License-Identifier: MIT
/** Where an address of an mm goes in tables of a fixed number of slots. */
import { mix } from './herds.js';

const PAGE_SIZE = 4096;

/** 32 bits, to be cut to the number of slots. */
export function slotOf(mm: number, address: number): number {
  // struct mm_struct is larger than 1 KiB: its low address bits say little.
  return mix(((address / PAGE_SIZE) | 0) ^ Math.imul((mm / 1024) | 0, 0x9e3779b1));
}
