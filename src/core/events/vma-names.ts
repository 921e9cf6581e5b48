// SPDX-License-Identifier: MIT
/** What VMAs map, as /proc/PID/maps says it: a file, the heap, the stack, a named or plain anonymous mapping. */

import { VlMapping } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from './batch.js';
import { UserArgs } from './user-rows.js';

/** As many VMAs as are summed. */
const MAX_VMAS = 4096;
/** Bits of the minor number in s_dev (include/linux/kdev_t.h). */
const MINOR_BITS = 20;

export interface Mapping {
  /** `/usr/lib/libc.so.6`, `/memfd:ring (deleted)`, `[heap]`, `[stack]`, `[anon:name]`, `[anon]`; begins with `…` where the path was too long. */
  readonly label: string;
  /** `major:minor` of its file system, as maps prints it; '' without a file. */
  readonly device: string;
  /** 0 without a file. */
  readonly inode: number;
}

const UNKNOWN: Mapping = { label: '', device: '', inode: 0 };

function labelOf(what: number, text: string): string {
  switch (what & VlMapping.KIND) {
    case VlMapping.FILE:
      return `${what & VlMapping.CUT ? '…' : ''}${text}${what & VlMapping.DELETED ? ' (deleted)' : ''}`;
    case VlMapping.HEAP:
      return '[heap]';
    case VlMapping.STACK:
      return '[stack]';
    case VlMapping.ANON:
      return text === '' ? '[anon]' : `[anon:${text}]`;
    default:
      return '';
  }
}

function deviceOf(dev: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  return `${hex(dev >>> MINOR_BITS)}:${hex(dev & ((1 << MINOR_BITS) - 1))}`;
}

/** The mapping a row of kind Vma tells of. */
export function mappingOf(batch: EventBatch, i: number, text: string): Mapping {
  const args = UserArgs.Vma;
  const what = batch[args.what][i] as number;
  const isFile = (what & VlMapping.KIND) === VlMapping.FILE;
  return {
    label: labelOf(what, text),
    device: isFile ? deviceOf(batch[args.device][i] as number) : '',
    inode: isFile ? (batch[args.inode][i] as number) : 0,
  };
}

/** Names a VMA in a table of them. */
export function vmaKey(mm: number, start: number): string {
  return `${mm}:${start}`;
}

export class VmaNames {
  readonly #rows: BoundedMap<string, Mapping> = new BoundedMap(MAX_VMAS, () => 0);

  get evicted(): number {
    return this.#rows.evicted;
  }

  push(batch: EventBatch, i: number, text: string): void {
    this.#rows.set(vmaKey(batch.mm[i] as number, batch.vmaStart[i] as number), mappingOf(batch, i, text));
  }

  /** With an empty label where nothing is known. */
  of(mm: number, start: number): Mapping {
    return this.#rows.get(vmaKey(mm, start)) ?? UNKNOWN;
  }
}
