// SPDX-License-Identifier: MIT
/** Steps of one fault as a test writes them down, and beside them what truly happened. */
import type { End } from '../../src/core/lifecycle/lifecycle.js';
import type { Cause } from '../../src/core/vocabulary/causes.js';
import type { VerdictKind } from '../../src/core/vocabulary/verdicts.js';
import { VlFile, VlFound, VlHolder, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import type { Random } from './random.js';
import { FLAG, RET, SWAP_DISK, SWAP_ZRAM, VMA_FLAGS } from './session.js';

const RETRY = RET.VM_FAULT_RETRY;
const COMPLETED = RET.VM_FAULT_COMPLETED;

export interface ScriptStep {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly flags: number;
  /** ns since the step before. */
  readonly after: number;
  /** A fault inside this one (a kernel-mode fault in a handler), before this step. */
  readonly inner?: Script;
}

export interface Script {
  readonly name: string;
  readonly steps: readonly ScriptStep[];
  readonly end: End;
  /** Of the attempt under the VMA lock, where it retried or was aborted. */
  readonly cause: Cause | null;
  /** Of that attempt, where it retried. */
  readonly verdict: VerdictKind | null;
  readonly pte: bigint;
  readonly vmFlags: bigint;
  /** The record stays open in the kernel; the task's next fault abandons it. */
  readonly open: boolean;
}

/** What of the kernel's hooks is there: the release of the VMA lock, and that of mmap_lock. */
export interface Sight {
  readonly observed: boolean;
  readonly released: boolean;
}

const SAME = VlFound.FOUND | VlFound.FOUND_SAME | VlFound.FOUND_COVERS;
const KNOWN = VlFound.FOUND_SEQ_KNOWN | VlFound.FOUND_MM_KNOWN;
const FINDS: readonly (readonly [VerdictKind, number])[] = [
  ['avoidable', SAME | KNOWN | VlFound.FOUND_SEQ_SAME],
  ['avoidable', SAME | KNOWN | VlFound.FOUND_SEQ_SAME | VlFound.FOUND_ANON],
  ['write-locked', SAME | KNOWN],
  ['replaced', VlFound.FOUND | VlFound.FOUND_COVERS | KNOWN],
  ['replaced', VlFound.FOUND | VlFound.FOUND_SAME | KNOWN],
  ['unknown', SAME],
  ['unknown', VlFound.FOUND | VlFound.FOUND_COVERS],
  ['unknown', VlFound.FOUND],
];
/** An entry of the first swap device, as x86-64 holds it. */
export const PTE_SWAP: bigint = 0x0400_0000_0001_2300n;
/** SWP_PTE_MARKER, SWP_DEVICE_READ of 6.12 (SWP_DEVICE_WRITE of 7.3), and DEVICE_EXCLUSIVE, with every option on. */
export const PTE_MARKER: bigint = (31n << 59n) | 0x300n;
export const PTE_DEVICE: bigint = (28n << 59n) | 0x300n;
export const PTE_EXCLUSIVE: bigint = (30n << 59n) | 0x300n;

export class ScriptWriter {
  readonly steps: ScriptStep[] = [];
  readonly random: Random;
  readonly sight: Sight;
  /** Of the RETRY under the VMA lock; 'unknown' while its fallback is to come. */
  verdict: VerdictKind | null = null;
  pte: bigint = PTE_SWAP;
  /** VM_READ, VM_WRITE, their VM_MAY bits and VM_ACCOUNT. */
  vmFlags = 0x100073n;

  constructor(random: Random, sight: Sight) {
    this.random = random;
    this.sight = sight;
  }

  add(kind: number, a = 0, b = 0, flags = 0, longest = 3000, inner?: Script): this {
    const step = { kind, a: a >>> 0, b: b >>> 0, flags, after: this.random.int(60, longest) };
    this.steps.push(inner === undefined ? step : { ...step, inner });
    return this;
  }

  hmf(flags: number, ret: number, regs: number = VlStepFlag.REGS, inner?: Script): this {
    if (ret & COMPLETED) this.drop(flags);
    this.add(VlKind.HMF_EXIT, flags, ret, regs, 2000, inner);
    if (flags === VMA_FLAGS && ret & RETRY) {
      this.verdict = 'unknown';
      if (this.random.chance(0.2)) this.add(VlKind.STACK, this.random.int(0, 900), 0xffffffff);
    }
    if (ret & (RETRY | COMPLETED)) return this;
    return flags === VMA_FLAGS || regs !== 0 ? this.drop(flags) : this;
  }

  /** The lock of an attempt with these flags is given back. */
  drop(flags: number): this {
    if (flags & FLAG.FAULT_FLAG_VMA_LOCK)
      return this.sight.observed ? this.add(VlKind.VMA_RELEASE, 1, 0, 0, 120) : this;
    return this.sight.released ? this.add(VlKind.MM_RELEASED, 0, 0, 0, 120) : this;
  }

  /** lock_mm_and_find_vma; `found`: enum vl_found beside what a verdict needs, or 0 for NULL. */
  lock(more = 0, handler = 0n): this {
    const { random } = this;
    this.add(VlKind.MM_LOCK_ENTER, 1, random.pick([VlHolder.NONE, VlHolder.READER]));
    if (random.chance(0.3)) this.add(VlKind.MM_CONTENDED, random.int(0, 99), VlHolder.READER);
    if (random.chance(0.05)) this.wait(VlWait.RECLAIM);
    const [verdict, found] = random.pick(FINDS);
    if (this.verdict === 'unknown' && this.steps.filter((step) => step.kind === VlKind.MM_LOCK_ENTER).length === 1)
      this.verdict = found === VlFound.FOUND && more !== 0 ? 'replaced' : verdict;
    if (handler !== 0n) this.add(VlKind.VMA_OPS, Number(handler >> 32n), Number(handler & 0xffffffffn));
    if (verdict === 'write-locked' || random.chance(0.1)) this.writer(verdict === 'write-locked');
    return this.add(VlKind.MM_LOCK_EXIT, found | more, random.int(0, 3), 0, 60_000);
  }

  writer(exact: boolean): this {
    const syscall = this.random.pick([10, 11, 0xffffffff]);
    return this.add(VlKind.MM_WRITER, this.random.int(1, 99), syscall, exact ? VlStepFlag.EXACT : 0);
  }

  /** lock_mm_and_find_vma of a fault that had no VMA lock. */
  lockAfterAbort(found: number, holder: number = VlHolder.NONE): this {
    this.add(VlKind.MM_LOCK_ENTER, 1, holder);
    if (this.random.chance(0.3)) this.add(VlKind.MM_CONTENDED, 7, holder);
    if (found & VlFound.FOUND_LATEST) this.writer(true);
    return this.add(VlKind.MM_LOCK_EXIT, found, 0, 0, 60_000);
  }

  wait(kind: number, inner: number | null = null): this {
    this.add(VlKind.WAIT_ENTER, kind);
    if (inner !== null) this.wait(inner);
    return this.add(VlKind.WAIT_EXIT, kind, 0, 0, 50_000);
  }

  device(): this {
    const zram = this.random.chance(0.3);
    this.add(VlKind.SWAP_DEVICE, zram ? 1 : 0, zram ? SWAP_ZRAM : SWAP_DISK);
    if (zram) return this.random.chance(0.5) ? this.wait(VlWait.SYNC_READ) : this;
    if (this.random.chance(0.1)) this.wait(VlWait.SWAPIN, this.random.chance(0.5) ? VlWait.MEMCG : null);
    return this;
  }

  /** __folio_lock_or_retry that waits and returns RETRY; the fault lock goes before the wait. */
  folio(flags: number, folio: number = VlStepFlag.FOLIO): this {
    this.add(VlKind.FLOR_ENTER, flags, this.random.int(0, 0xffffffff), folio).drop(flags);
    if (this.random.chance(0.9)) this.add(VlKind.FLOR_SLEEP);
    return this.add(VlKind.FLOR_EXIT, 0, RETRY, 0, 900_000);
  }

  folioRetry(flags: number, major: number, folio: number = VlStepFlag.FOLIO): this {
    this.add(VlKind.SWAP_ENTER, flags).device().folio(flags, folio);
    return this.add(VlKind.SWAP_EXIT, 0, RETRY | major).hmf(flags, RETRY | major);
  }

  swapOk(flags: number): this {
    return this.add(VlKind.SWAP_ENTER, flags).device().add(VlKind.SWAP_EXIT, 0, 0, 0, 200_000);
  }

  /** filemap_fault that drops the lock and returns RETRY. */
  fileRetry(flags: number, bits: number, major = 0): this {
    this.add(VlKind.FILE_ENTER, flags, VlFile.FILEMAP).drop(flags);
    if (this.random.chance(0.6)) this.add(VlKind.FILE_SLEEP);
    if (bits & VlFile.READ) this.wait(VlWait.READ);
    this.add(VlKind.FILE_EXIT, VlFile.FILEMAP | bits, RETRY | major, 0, 400_000);
    return this.hmf(flags, RETRY | major);
  }

  fileOk(flags: number, which: number): this {
    this.add(VlKind.FILE_ENTER, flags, which);
    if (this.random.chance(0.3)) this.wait(VlWait.RECLAIM);
    if (this.random.chance(0.3)) this.add(VlKind.FILE_SLEEP);
    return this.add(VlKind.FILE_EXIT, which, RET.VM_FAULT_LOCKED);
  }

  uffd(flags: number, reason: number): this {
    // VM_UFFD_MINOR is bit 41 in 7.3 (include/linux/mm.h); 0x4000 is a mode of no kernel, but it is registered nevertheless.
    this.vmFlags |= reason === 0 ? 1n << 41n : BigInt(reason | 0x200);
    return this.add(VlKind.UFFD_ENTER, flags, reason).drop(flags).add(VlKind.UFFD_EXIT, 0, RETRY, 0, 2_000_000);
  }

  done(name: string, end: End, cause: Cause | null = null, open = false): Script {
    return { name, steps: this.steps, end, cause, verdict: this.verdict, pte: this.pte, vmFlags: this.vmFlags, open };
  }
}
