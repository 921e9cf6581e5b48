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

interface Layout {
  /** Lowest of the five bits of a swap PTE that hold the type. */
  readonly swapTypeShift: bigint;
  /** Bits of thread_info.flags that make signal_pending() true: TIF_SIGPENDING and TIF_NOTIFY_SIGNAL. */
  readonly signalFlags: (kernel: { readonly major: number; readonly minor: number }) => number;
}

const since = ({ major, minor }: { readonly major: number; readonly minor: number }, a: number, b: number): boolean =>
  major > a || (major === a && minor >= b);

/** Architectures that can be observed. */
const LAYOUTS: Readonly<Partial<Record<Arch, Layout>>> = {
  x86_64: {
    swapTypeShift: 59n, // arch/x86/include/asm/pgtable_64.h
    // arch/x86/include/asm/thread_info.h up to 6.17; from 6.18 on include/asm-generic/thread_info_tif.h (17 is TIF_SPEC_IB there).
    signalFlags: (kernel) => (since(kernel, 6, 18) ? (1 << 1) | (1 << 2) : (1 << 2) | (1 << 17)),
  },
  aarch64: {
    swapTypeShift: 6n, // arch/arm64/include/asm/pgtable.h, since 6.10
    // arch/arm64/include/asm/thread_info.h: TIF_NEED_RESCHED_LAZY moved TIF_NOTIFY_SIGNAL from 6 (read in 6.12) to 7 (read in
    // 7.2); between the two, signals alone.
    signalFlags: (kernel) => (since(kernel, 7, 2) ? 1 | (1 << 7) : since(kernel, 6, 13) ? 1 : 1 | (1 << 6)),
  },
};

/** Null where a kernel of that architecture cannot be observed. */
export function layoutOf(arch: string): Layout | null {
  const known = archOf(arch);
  return (known === null ? undefined : LAYOUTS[known]) ?? null;
}

/** Type of a swap PTE, 0 to 31; -1 where the layout is not known or the PTE was not seen (0). */
export function swapTypeOf(pte: bigint, arch: Arch | null): number {
  const layout = arch === null ? undefined : LAYOUTS[arch];
  return layout !== undefined && pte !== 0n ? Number((pte >> layout.swapTypeShift) & 31n) : -1;
}

export function pteKind(pte: bigint, arch: Arch | null): PteKind {
  const type = swapTypeOf(pte, arch);
  if (type < 0) return 'unknown';
  if (type === MARKER_TYPE) return 'marker';
  return type < FIRST_SPECIAL_TYPE ? 'swap' : 'special';
}
