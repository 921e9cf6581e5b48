// SPDX-License-Identifier: MIT
/** Rows as a test writes them, with every column of the wire, and a session whose hooks are all attached. */

import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { VlFound, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { MMAP_FLAGS, RET, SWAP_DISK, syntheticSession, TRIED_FLAGS, VMA_FLAGS } from './session.js';

/** What is left out is 0, '' or NaN. */
export interface WireRow {
  readonly kind: number;
  readonly time: number;
  readonly tid: number;
  readonly flags?: number;
  readonly fault?: number;
  readonly step?: number;
  readonly a?: number;
  readonly b?: number;
  readonly tgid?: number;
  readonly comm?: string;
  readonly acquired?: number;
  readonly mm?: number;
  readonly address?: number;
  readonly vma?: readonly [number, number];
  readonly vmFlags?: bigint;
  readonly stacks?: readonly [kernel: number, user: number];
  readonly fork?: {
    readonly threads: number;
    readonly vmas: number;
    readonly locked: number;
    readonly waitNs: number;
  };
  readonly cgroup?: number;
  readonly value?: number;
}

export function batchesOf(rows: readonly WireRow[], size: number = Math.max(1, rows.length)): EventBatch[] {
  const strings = [...new Set(['', ...rows.map((row) => row.comm ?? '')])];
  const out: EventBatch[] = [];
  rows.forEach((row, n) => {
    if (n % size === 0) out.push(createBatch(size, strings));
    const batch = out.at(-1) as EventBatch;
    const i = batch.length++;
    batch.kind[i] = row.kind;
    batch.flags[i] = row.flags ?? 0;
    batch.tid[i] = row.tid;
    batch.fault[i] = row.fault ?? 0;
    batch.step[i] = row.step ?? 0;
    batch.time[i] = row.time;
    batch.a[i] = row.a ?? 0;
    batch.b[i] = row.b ?? 0;
    batch.tgid[i] = row.tgid ?? 0;
    batch.comm[i] = strings.indexOf(row.comm ?? '');
    batch.acquired[i] = row.acquired ?? Number.NaN;
    batch.mm[i] = row.mm ?? 0;
    batch.address[i] = row.address ?? 0;
    batch.vmaStart[i] = row.vma?.[0] ?? 0;
    batch.vmaEnd[i] = row.vma?.[1] ?? 0;
    batch.vmFlags[i] = row.vmFlags ?? 0n;
    [batch.kernelStack[i], batch.userStack[i]] = row.stacks ?? [-1, -1];
    batch.forkThreads[i] = row.fork?.threads ?? 0;
    batch.forkVmas[i] = row.fork?.vmas ?? 0;
    batch.forkLocked[i] = row.fork?.locked ?? 0;
    batch.forkWait[i] = row.fork?.waitNs ?? 0;
    batch.cgroup[i] = row.cgroup ?? 0;
    batch.value[i] = row.value ?? 0;
  });
  return out;
}

/** Hooks the aggregate asks about, attached. */
export function hooked(...targets: readonly string[]): Pick<SessionInfo, 'hooks'> {
  return { hooks: targets.map((target) => ({ target, attached: true, note: '' })) };
}

export const WRITER_HOOKS: readonly string[] = [
  'mmap_lock_start_locking',
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  '__vma_start_write',
];

export function snapshotOf(rows: readonly WireRow[], changes: Partial<SessionInfo> = {}, size?: number): Snapshot {
  const pipeline = new Pipeline(syntheticSession(changes));
  for (const batch of batchesOf(rows, size)) pipeline.push(batch);
  return pipeline.snapshot();
}

export const TGID = 100;
export const MM = 0x8881_0000_0000;
export const PAGE = 0x7f00_0000_5000;
export const AVOIDABLE: number =
  VlFound.FOUND |
  VlFound.FOUND_SAME |
  VlFound.FOUND_COVERS |
  VlFound.FOUND_SEQ_KNOWN |
  VlFound.FOUND_SEQ_SAME |
  VlFound.FOUND_MM_KNOWN;
export const WRITE_LOCKED: number = AVOIDABLE & ~VlFound.FOUND_SEQ_SAME;

export interface RetryPlan {
  readonly fault: number;
  readonly tid: number;
  /** Of __folio_lock_or_retry: the window. */
  readonly from: number;
  readonly to: number;
  readonly address?: number;
  readonly mm?: number;
  /** enum vl_found; left out: the fault is still waiting. */
  readonly found?: number;
  readonly mmWriters?: number;
  /** The fallback's wait, from `to` + 30. */
  readonly mmWait?: number;
  readonly behind?: number;
  readonly writer?: { readonly tid: number; readonly syscall: number; readonly exact: boolean };
  readonly folio?: number;
  /** vma->vm_ops->fault, high and low half. */
  readonly handler?: readonly [number, number];
}

/** A swap fault whose attempt under the VMA lock waits for a folio and returns RETRY, and its fallback. */
export function retry(plan: RetryPlan): WireRow[] {
  const { from, to, found } = plan;
  let step = 0;
  const rows: WireRow[] = [];
  const add = (kind: number, time: number, a = 0, b = 0, flags = 0): void => {
    const info = step === 0 ? VlStepFlag.INFO : 0;
    rows.push({
      kind,
      time,
      a,
      b,
      flags: flags | info,
      step: step++,
      tid: plan.tid,
      fault: plan.fault,
      tgid: TGID,
      comm: 'load',
      mm: plan.mm ?? MM,
      address: plan.address ?? PAGE,
      vma: [PAGE, PAGE + 0x10_0000],
      cgroup: 42,
    });
  };
  const major = RET.VM_FAULT_RETRY | RET.VM_FAULT_MAJOR;
  add(VlKind.SWAP_ENTER, from - 20, VMA_FLAGS);
  add(VlKind.SWAP_DEVICE, from - 10, 0, SWAP_DISK);
  add(VlKind.FLOR_ENTER, from, VMA_FLAGS, plan.folio ?? 0, VlStepFlag.FOLIO);
  add(VlKind.FLOR_SLEEP, from + 1);
  if (found === undefined) return rows;
  add(VlKind.FLOR_EXIT, to, 0, RET.VM_FAULT_RETRY);
  add(VlKind.SWAP_EXIT, to + 10, 0, major);
  add(VlKind.HMF_EXIT, to + 20, VMA_FLAGS, major, VlStepFlag.REGS);
  add(VlKind.MM_LOCK_ENTER, to + 30, 1);
  if (plan.behind !== undefined) add(VlKind.MM_CONTENDED, to + 31, plan.behind, 2);
  const end = to + 30 + (plan.mmWait ?? 10);
  const { writer } = plan;
  if (writer !== undefined) add(VlKind.MM_WRITER, end, writer.tid, writer.syscall, writer.exact ? VlStepFlag.EXACT : 0);
  if (plan.handler !== undefined) add(VlKind.VMA_OPS, end, ...plan.handler);
  add(VlKind.MM_LOCK_EXIT, end, found, plan.mmWriters ?? 0);
  add(VlKind.HMF_EXIT, end + 10, plan.found === undefined ? MMAP_FLAGS : TRIED_FLAGS, 0, VlStepFlag.REGS);
  add(VlKind.MM_RELEASED, end + 20);
  return rows;
}

export interface WriterPlan {
  readonly tid: number;
  readonly syscall: number;
  readonly asked: number;
  readonly had: number;
  readonly released?: number;
  readonly mm?: number;
  readonly behind?: number;
  readonly flags?: number;
  /** When __vma_start_write was entered, for which VMA, and how long it waited. */
  readonly vmas?: readonly (readonly [time: number, lo: number, hi: number, waited: number])[];
  readonly stacks?: readonly [kernel: number, user: number];
  /** A fork's: when it had write-locked a VMA and copied it. */
  readonly copied?: readonly (readonly [time: number, lo: number, hi: number])[];
  /** What its system call names. */
  readonly names?: readonly [lo: number, hi: number];
}

/** One hold of mmap_lock for write. */
export function writer(plan: WriterPlan): WireRow[] {
  const { had, released, tid } = plan;
  const who = { tid, a: plan.syscall, tgid: TGID, comm: 'writer', mm: plan.mm ?? MM };
  const flags = VlStepFlag.INFO;
  const rows: WireRow[] = [
    {
      ...who,
      kind: VlKind.W_ACQUIRED,
      time: had,
      acquired: plan.asked,
      b: plan.behind ?? 0,
      flags: flags | (plan.flags ?? 0),
      ...(plan.stacks === undefined ? {} : { stacks: plan.stacks }),
      ...(plan.names === undefined ? {} : { vma: plan.names }),
    },
  ];
  for (const [time, lo, hi, waited] of plan.vmas ?? [])
    rows.push({ ...who, kind: VlKind.W_VMA, time: time + waited, acquired: time, b: waited, vma: [lo, hi], flags });
  for (const [time, lo, hi] of plan.copied ?? [])
    rows.push({ ...who, kind: VlKind.L_COPIED, time, vma: [lo, hi], flags });
  if (released !== undefined) rows.push({ ...who, kind: VlKind.W_RELEASED, time: released, acquired: had, flags });
  return rows;
}

/** In the order of the ring: by time. */
export function inOrder(...rows: readonly (readonly WireRow[])[]): WireRow[] {
  return rows.flat().sort((x, y) => x.time - y.time);
}
