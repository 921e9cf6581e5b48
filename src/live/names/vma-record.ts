// SPDX-License-Identifier: MIT
/** A `struct vl_vma` out of the ring → a row of kind Vma: names from the file up to the root become a path. */

import { RING_HEADER } from 'ebpf-ts';
import type { EventBatch } from '../../core/events/batch.js';
import { UserArgs } from '../../core/events/user-rows.js';
import { VlMapping, VlVma } from '../../schema/events.gen.js';
import type { CommTable } from './comms.js';

const UTF8 = new TextDecoder();
const HIGH = 2 ** 32;

/** `bytes`: those in use of `name`, a zero behind each of the names. */
export function vmaText(what: number, bytes: Uint8Array): string {
  const names = UTF8.decode(bytes).split('\0').slice(0, -1);
  if ((what & VlMapping.KIND) !== VlMapping.FILE) return names[0] ?? '';
  return names
    .filter((name) => name !== '/')
    .reverse()
    .map((name) => `/${name}`)
    .join('');
}

/** The columns of row `row` that only this record has; `at`: its header in the ring, in words. */
export function decodeVma(u32: Uint32Array, at: number, batch: EventBatch, row: number, strings: CommTable): void {
  const word = (offset: number): number => u32[at + ((RING_HEADER + offset) >>> 2)] as number;
  const double = (offset: number): number => word(offset + 4) * HIGH + word(offset);
  batch.mm[row] = double(VlVma.mm);
  batch.vmaStart[row] = double(VlVma.vmaStart);
  batch.vmaEnd[row] = double(VlVma.vmaEnd);
  const inode = double(VlVma.inode);
  // Some network file systems have numbers of 64 bits: better none than a near one.
  batch[UserArgs.Vma.inode][row] = Number.isSafeInteger(inode) ? inode : 0;
  batch.tgid[row] = word(VlVma.tgid);
  const from = u32.byteOffset + at * 4 + RING_HEADER + VlVma.name;
  // A copy: a decoder takes no memory that is shared.
  const bytes = new Uint8Array(u32.buffer, from, word(VlVma.length)).slice();
  batch.comm[row] = strings.text(vmaText(batch[UserArgs.Vma.what][row] as number, bytes));
}
