// SPDX-License-Identifier: MIT
/**
 * Architectures by the kernel's name (`uname -m`), and what of the kernel's layout depends on them. Everything that asks
 * which architecture a session is of asks here: recordings hold Node's names as well (`x64`).
 */

/** Those whose fault handlers and page-table entries are known; anything else is null. */
export type Arch = 'x86_64' | 'aarch64' | 'ppc64' | 'riscv64' | 's390x';

const ARCHES: ReadonlyMap<string, Arch> = new Map([
  ['x86_64', 'x86_64'],
  ['x64', 'x86_64'],
  ['amd64', 'x86_64'],
  ['aarch64', 'aarch64'],
  ['arm64', 'aarch64'],
  ['ppc64', 'ppc64'],
  ['ppc64le', 'ppc64'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
]);

/** `name` as uname, Node or Debian spell it. */
export function archOf(name: string): Arch | null {
  return ARCHES.get(name) ?? null;
}

/** The kernel's name where it is known, else `name` itself. */
export function archName(name: string): string {
  return archOf(name) ?? name;
}

/** What a non-present PTE holds: an entry of a swap device, a PTE marker, or one of the other special entries. */
export type PteKind = 'swap' | 'special' | 'marker' | 'unknown';

/** Swap types from here on are no swap devices on any kernel: MAX_SWAPFILES with every option on (include/linux/swap.h, 6.12). */
const FIRST_SPECIAL_TYPE = 23;
/** SWP_PTE_MARKER, always the last of the 32 types. */
const MARKER_TYPE = 31;

/** Type of a swap PTE, 0 to 31; -1 where the layout is not known or the PTE was not seen (0). */
export function swapTypeOf(pte: bigint, arch: Arch | null): number {
  // The top five bits: arch/x86/include/asm/pgtable_64.h.
  return arch === 'x86_64' && pte !== 0n ? Number(pte >> 59n) : -1;
}

export function pteKind(pte: bigint, arch: Arch | null): PteKind {
  const type = swapTypeOf(pte, arch);
  if (type < 0) return 'unknown';
  if (type === MARKER_TYPE) return 'marker';
  return type < FIRST_SPECIAL_TYPE ? 'swap' : 'special';
}
