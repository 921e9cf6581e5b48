// SPDX-License-Identifier: MIT
/** What writers did to the locks of their mm (VL_W_* of bpf/events.h), as slices on tracks of their own. */
import type { EventBatch } from '../../core/events/batch.js';
import { syscallName, syscallNumber } from '../../core/vocabulary/syscalls.js';
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import type { Cause, Slice } from './slices.js';

export interface WriterEffect {
  readonly tid: number;
  readonly track: 'writer' | 'vmas';
  readonly slice: Slice;
  readonly cause: Cause | null;
}

/** Row `i` of a batch, of a kind for which `isWriterEvent` holds; null when it bounds no time. `flow` names a new flow. */
export function effectOf(batch: EventBatch, i: number, arch: string, flow: () => bigint): WriterEffect | null {
  const time = batch.time[i] as number;
  const since = batch.acquired[i] as number;
  const flags = batch.flags[i] as number;
  const tid = batch.tid[i] as number;
  // A writer whose beginning is not known has no slice; it is still in the table of events.
  if (!Number.isFinite(since)) return null;
  const start = Math.min(since, time);
  const syscall = syscallName(syscallNumber(batch[VlSharedArgs.syscall][i] as number), arch);
  const slice = (name: string, notes: Slice['notes'] = {}): Slice => ({
    start,
    end: time,
    name,
    category: 'writer',
    notes: { 'system call': syscall, ...notes },
  });
  switch (batch.kind[i]) {
    case VlKind.W_ACQUIRED: {
      const holder = batch[VlArgs.W_ACQUIRED.holder][i] as number;
      const behind =
        (flags & VlStepFlag.HOLDER_WRITER) !== 0
          ? 'a writer'
          : (flags & VlStepFlag.HOLDER_READER) !== 0
            ? 'a reader'
            : null;
      const notes = {
        behind,
        'holder tid': holder || null,
        'priority inverted': (flags & VlStepFlag.INVERTED) !== 0 || null,
      };
      const waits = slice('waits for mmap_lock (write)', notes);
      if (holder === 0 || holder === tid) return { tid, track: 'writer', slice: waits, cause: null };
      const id = flow();
      const cause = {
        tid: holder,
        time: start,
        flow: id,
        name: 'named as holder of mmap_lock: a writer waits',
        category: 'holder',
      };
      return { tid, track: 'writer', slice: { ...waits, flowEnd: id }, cause };
    }
    case VlKind.W_RELEASED:
      return { tid, track: 'writer', slice: slice('mmap_lock held (write)'), cause: null };
    case VlKind.W_VMA: {
      const located = {
        'vma start': { hex: batch.vmaStart[i] as number },
        'vma end': { hex: batch.vmaEnd[i] as number },
      };
      return {
        tid,
        track: 'vmas',
        slice: slice('write-locks a VMA', {
          ...located,
          'waited for readers (ns)': batch[VlArgs.W_VMA.waitNs][i] as number,
        }),
        cause: null,
      };
    }
    default:
      return null;
  }
}
