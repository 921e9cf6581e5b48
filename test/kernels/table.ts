// SPDX-License-Identifier: MIT
/** test/kernels/kernels.json: kernels whose types are kept beside it (scripts/kernel-btfs.ts). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CoreReport } from 'ebpf-ts';

export interface KernelRow {
  /** `uname -r`: `6.12.43+deb12-rt-amd64` */
  readonly kernel: string;
  /** Functions and tracepoints our programs name that its BTF has none of: `function swapin_sync`. */
  readonly lacks: readonly string[];
}

export interface KernelTable {
  /** What the BTFs were cut down to: a relocation that is not among these would find nothing in them. */
  readonly relocations: readonly string[];
  readonly kernels: readonly KernelRow[];
}

export const KERNELS: string = fileURLToPath(new URL('../../../test/kernels/', import.meta.url));

export function kernelTable(): KernelTable {
  return JSON.parse(readFileSync(`${KERNELS}kernels.json`, 'utf8'));
}

/** Sorts `uname -r` by its numbers: 6.12.43+deb12-amd64 before 6.12.118+deb13-amd64. Flavours of one version are alike. */
export function byVersion(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split(/[.+-]/, 3).map(Number)) as [number[], number[]];
  return (x[0] ?? 0) - (y[0] ?? 0) || (x[1] ?? 0) - (y[1] ?? 0) || (x[2] ?? 0) - (y[2] ?? 0);
}

/** Every distinct relocation of an object, whatever it comes to. */
export function relocationNames({ relocations }: CoreReport): readonly string[] {
  return [...new Set(relocations.map(({ access, kind }) => `${access} (${kind})`))].sort();
}
