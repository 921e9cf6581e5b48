// SPDX-License-Identifier: MIT
/** The fault that small recordings are made of. */
import { VlKind } from '../../src/schema/events.gen.js';
import { MMAP_FLAGS, RET, VMA_FLAGS } from './session.js';

/** Steps of a swap fault that falls back: [kind, a, b]. */
export const SWAP_RETRY: readonly (readonly [kind: number, a: number, b: number])[] = [
  [VlKind.SWAP_ENTER, VMA_FLAGS, 0],
  [VlKind.SWAP_DEVICE, 0, 3],
  [VlKind.FLOR_ENTER, VMA_FLAGS, 0],
  [VlKind.FLOR_EXIT, 0, RET.VM_FAULT_RETRY],
  [VlKind.SWAP_EXIT, 0, RET.VM_FAULT_RETRY],
  [VlKind.HMF_EXIT, VMA_FLAGS, RET.VM_FAULT_RETRY],
  [VlKind.MM_LOCK_ENTER, 1, 0],
  [VlKind.MM_LOCK_EXIT, 1, 0],
  [VlKind.HMF_EXIT, MMAP_FLAGS, 0],
];
