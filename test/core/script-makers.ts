// SPDX-License-Identifier: MIT
/** Steps of the faults whose cause or place is drawn at random. */
import type { AbortCause, RetryCause } from '../../src/core/vocabulary/causes.js';
import { VlFile, VlFound, VlHolder, VlInner, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import type { Script, ScriptWriter } from './script-writer.js';
import { KERNEL_FLAGS, MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const RETRY = RET.VM_FAULT_RETRY;
const MAJOR = RET.VM_FAULT_MAJOR;
const FOUND = VlFound.FOUND | VlFound.FOUND_COVERS;

export type Maker = (w: ScriptWriter) => Script;

export const inner: Maker = (w) => w.swapOk(KERNEL_FLAGS).hmf(KERNEL_FLAGS, 0).done('kernel swap', 'ok-mmap');

export const folio: Maker = (w) => {
  const [cause, major, flags] = w.random.pick([
    ['folio locked: own read', MAJOR, VlStepFlag.FOLIO],
    ['folio locked: other read', 0, VlStepFlag.FOLIO],
    ['folio locked: other holder', 0, VlStepFlag.FOLIO | VlStepFlag.UPTODATE],
    ['folio locked', 0, 0],
  ] as const);
  w.folioRetry(VMA_FLAGS, major, flags).lock();
  const second = major ? TRIED_FLAGS : MMAP_FLAGS;
  // The page may be mapped by now: then the second pass does not enter do_swap_page.
  if (w.random.chance(0.6)) w.swapOk(second);
  return w.hmf(second, 0).done('folio retry', 'ok-mmap', cause);
};

export const file: Maker = (w) => {
  const [cause, bits, major] = w.random.pick([
    ['file: cache miss', 0, MAJOR],
    ['file: readahead', VlFile.READAHEAD | VlFile.READ, 0],
    ['file: not up to date', VlFile.READ, 0],
    ['file: page lock', 0, 0],
  ] as const);
  w.fileRetry(VMA_FLAGS, bits, major).lock();
  const second = major ? TRIED_FLAGS : MMAP_FLAGS;
  return w.fileOk(second, VlFile.FILEMAP).hmf(second, 0).done('file retry', 'ok-mmap', cause);
};

export const userfault: Maker = (w) => {
  const [cause, reason] = w.random.pick([
    ['userfault: missing', 0x200],
    ['userfault: write-protect', 0x1000],
    ['userfault: minor', 0],
    ['userfault', 0x4000],
  ] as const);
  const where = w.random.int(0, 3);
  if (where === 1) w.add(VlKind.SWAP_ENTER, VMA_FLAGS);
  if (where === 2) w.add(VlKind.FILE_ENTER, VMA_FLAGS, VlFile.SHMEM);
  w.uffd(VMA_FLAGS, reason);
  if (where === 1) w.add(VlKind.SWAP_EXIT, 0, RETRY);
  if (where === 2) w.add(VlKind.FILE_EXIT, VlFile.SHMEM, RETRY);
  if (where === 3) w.add(VlKind.INNER_RETRY, VlInner.HUGETLB, RETRY);
  return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).done('userfault', 'ok-mmap', cause);
};

export const byDesign = (w: ScriptWriter): ScriptWriter => {
  w.verdict = 'by design';
  return w;
};

/** Decided by what the fallback finds, where nothing inside handle_mm_fault is hooked. */
export const late: Maker = (w) => {
  const cause = w.random.pick<RetryCause>(['->fault needs mmap_lock', 'driver or file system', 'hugetlb', 'unknown']);
  w.hmf(VMA_FLAGS, RETRY);
  if (cause === '->fault needs mmap_lock') byDesign(w).lock(VlFound.FOUND_NO_MAP_PAGES);
  else if (cause === 'driver or file system') w.lock(0, 0xffff_ffff_8123_4560n);
  else w.lock(cause === 'hugetlb' ? VlFound.FOUND_HUGETLB : 0);
  // Any of those by design may be behind it.
  if (cause === 'unknown') w.verdict = 'unknown';
  return w.hmf(MMAP_FLAGS, 0).done('decided late', 'ok-mmap', cause);
};

export const anon: Maker = (w) => {
  const how = w.random.int(0, 4);
  if (how === 3) w.add(VlKind.SWAP_ENTER, VMA_FLAGS).device();
  if (how !== 1) w.add(VlKind.ANON_PREPARE, 0, 0);
  if (how !== 0) w.add(VlKind.ANON_PREPARE, 0, RETRY);
  w.drop(VMA_FLAGS);
  if (how === 3) w.add(VlKind.SWAP_EXIT, 0, RETRY);
  if (how === 4) w.add(VlKind.INNER_RETRY, VlInner.HUGETLB, RETRY);
  const cause = how === 4 ? 'hugetlb' : 'anon_vma';
  return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).done('anon_vma', 'ok-mmap', cause);
};

export const abort: Maker = (w) => {
  const [cause, found, holder] = w.random.pick<readonly [AbortCause, number, number]>([
    ['VMA lock unavailable', FOUND, VlHolder.READER],
    ['writer in the mm', FOUND, VlHolder.WRITER],
    ['VMA write-locked', FOUND | VlFound.FOUND_LATEST, VlHolder.WRITER],
    ['stack growth', FOUND | VlFound.FOUND_GREW, VlHolder.NONE],
  ]);
  if (w.random.chance(0.4)) w.add(VlKind.VMA_LOCK, 0);
  w.lockAfterAbort(found, holder);
  const again = w.random.int(0, 4);
  if (again === 0) w.fileRetry(MMAP_FLAGS, VlFile.READ, MAJOR).lock();
  if (again === 1) w.swapOk(MMAP_FLAGS);
  return w.hmf(again === 0 ? TRIED_FLAGS : MMAP_FLAGS, 0).done('abort', 'ok-mmap', cause);
};
