// SPDX-License-Identifier: MIT
/** Ids of stacks as the kernel side sends them: a slot of its stack map, or what bpf_get_stackid said instead. */

/** Ids are slots of the map; whatever is above is a negative errno or ~0: no stack was had. */
const NO_STACK = 0x8000_0000;

/** -1: none was had. */
export function stackIdOf(sent: number): number {
  return sent >= NO_STACK ? -1 : sent;
}

/** The kernel stack and the user stack of a `struct vl_open` that packs both into 64 bits. */
export function stackIdsOf(packed: bigint): { readonly kernel: number; readonly user: number } {
  return { kernel: stackIdOf(Number(packed & 0xffff_ffffn)), user: stackIdOf(Number(packed >> 32n)) };
}
