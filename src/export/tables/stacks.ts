// SPDX-License-Identifier: MIT
/** One row a stack and what was done there: how often, and what that took. Written at the end, when frames have names. */
import { pathOf, type StackSample } from '../../core/present/stack-samples.js';
import type { Column } from '../base/column.js';
import { sessionColumns } from './lifecycles.js';

const seen = (id: number): number | null => (id < 0 ? null : id);
/** A frame in a path: what separates frames is in no symbol, but in the names of some files. */
const inPath = (frame: string): string => frame.replaceAll(';', ':');

/** Outermost first; what the stack was taken of and its process are columns. */
function framesOf(sample: StackSample): string {
  return pathOf(sample, inPath).slice(2).join(';');
}

export const stackColumns: readonly Column<StackSample>[] = [
  ...sessionColumns<StackSample>(),
  {
    name: 'kind',
    type: 'string',
    about: 'the event at which it was taken: RETRY, ABORT, waits for mmap_lock (write), holds mmap_lock',
    get: (r) => r.kind,
  },
  {
    name: 'reason',
    type: 'string',
    about: 'cause of the RETRY or ABORT; for the other kinds the system call',
    get: (r) => r.reason,
  },
  { name: 'process', type: 'string', about: 'name of the process; null when not known', get: (r) => r.process || null },
  { name: 'count', type: 'int64', about: 'how often', get: (r) => r.count },
  {
    name: 'total_ns',
    type: 'int64',
    about:
      'ns, summed: a fault counts from its beginning to its end, a writer until it had the lock, a holder until it released it',
    get: (r) => r.ns,
  },
  {
    name: 'kernel_stack',
    type: 'int64',
    about: 'id as in `attempts`; null when none was taken',
    get: (r) => seen(r.kernelStack),
  },
  {
    name: 'user_stack',
    type: 'int64',
    about: 'id of the user stack; null when none was taken',
    get: (r) => seen(r.userStack),
  },
  { name: 'user_frames', type: 'int32', about: 'number of frames of the process', get: (r) => r.user.length },
  { name: 'kernel_frames', type: 'int32', about: 'number of frames in the kernel', get: (r) => r.kernel.length },
  {
    name: 'frames',
    type: 'string',
    about: 'symbols, outermost first, separated by `;`; empty when their names are not in the recording',
    get: framesOf,
  },
];
