// SPDX-License-Identifier: MIT
/** Names that rows of a snapshot refer to. */
import type { Names } from '../events/names.js';
import { vmaKey } from '../events/vma-names.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { BlockerRow } from './blocker-rows.js';
import type { Snapshot } from './snapshot.js';
import type { StackRow, WriterRow } from './snapshot-rows.js';

type Where = Pick<Lifecycle, 'mm' | 'vmaStart'>;

export function stacksOf(
  names: Names,
  blockers: readonly BlockerRow[],
  writers: readonly WriterRow[],
  causes: readonly StackRow[],
): Snapshot['stacks'] {
  return names.stacks(
    new Set([
      ...blockers.flatMap((row) => [row.kernelStack, row.userStack]),
      ...writers.flatMap((row) => [row.kernelStack, row.userStack]),
      ...causes.flatMap((row) => [row.kernel, row.user]),
    ]),
  );
}

export function mappingsOf(faults: readonly Where[], { vmas }: Names): Record<string, string> {
  const out: Record<string, string> = {};
  for (const { mm, vmaStart } of faults) {
    const { label } = vmas.of(mm, vmaStart);
    if (label !== '') out[vmaKey(mm, vmaStart)] = label;
  }
  return out;
}
