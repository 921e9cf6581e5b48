// SPDX-License-Identifier: MIT
/** The calls inside an attempt: which steps enter, leave and stand inside them. */
import { VlKind } from '../../schema/events.gen.js';

export type CallKind = 'swap' | 'flor' | 'uffd' | 'file';

/** Indices into `Trace.steps`; -1 for what was not seen. */
export interface Call {
  readonly kind: CallKind;
  readonly enter: number;
  readonly exit: number;
}

/** Entry and return of each call, and the steps that come only inside it. */
export const CALLS: Readonly<
  Record<CallKind, { readonly enter: number; readonly exit: number; readonly name: string }>
> = {
  swap: { enter: VlKind.SWAP_ENTER, exit: VlKind.SWAP_EXIT, name: 'do_swap_page' },
  flor: { enter: VlKind.FLOR_ENTER, exit: VlKind.FLOR_EXIT, name: '__folio_lock_or_retry' },
  uffd: { enter: VlKind.UFFD_ENTER, exit: VlKind.UFFD_EXIT, name: 'handle_userfault' },
  file: { enter: VlKind.FILE_ENTER, exit: VlKind.FILE_EXIT, name: 'filemap_fault or shmem_fault' },
};
/** By kind of step. */
type ByKind = readonly (CallKind | undefined)[];
const KINDS = 128;
const byKind = (of: (kind: number) => CallKind | undefined): ByKind =>
  Array.from({ length: KINDS }, (_, kind) => of(kind));
const CALL_KINDS = Object.keys(CALLS) as CallKind[];
export const ENTERS: ByKind = byKind((kind) => CALL_KINDS.find((call) => CALLS[call].enter === kind));
export const EXITS: ByKind = byKind((kind) => CALL_KINDS.find((call) => CALLS[call].exit === kind));
const INSIDE_OF: ReadonlyMap<number, CallKind> = new Map([
  [VlKind.SWAP_DEVICE, 'swap'],
  [VlKind.FLOR_ENTER, 'swap'],
  [VlKind.FLOR_SLEEP, 'flor'],
  [VlKind.FILE_SLEEP, 'file'],
]);
/** Steps that come only inside a call. __folio_lock_or_retry is followed inside do_swap_page alone. */
export const INSIDE: ByKind = byKind((kind) => INSIDE_OF.get(kind));
/** Steps of an attempt that are no calls. */
export const WITHIN: ReadonlySet<number> = new Set([
  VlKind.ANON_PREPARE,
  VlKind.INNER_RETRY,
  VlKind.WAIT_ENTER,
  VlKind.WAIT_EXIT,
  VlKind.MM_INSIDE,
]);
