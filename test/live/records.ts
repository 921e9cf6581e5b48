// SPDX-License-Identifier: MIT
/** `struct vl_step`, `struct vl_open` and `struct vl_writer` as bytes, written and read field by field through a DataView: the slow, plain way. */
import { VlOpen, VlStep, VlStepFlag, VlWriter } from '../../src/schema/events.gen.js';

export interface Step {
  kind: number;
  flags: number;
  cpu: number;
  tid: number;
  fault: number;
  faultCpu: number;
  step: number;
  ts: bigint;
  a: number;
  b: number;
}

export interface Open extends Step {
  acquired: bigint;
  mm: bigint;
  address: bigint;
  vmaStart: bigint;
  vmaEnd: bigint;
  vmFlags: bigint;
  pte: bigint;
  cgroup: bigint;
  tgid: number;
  depth: number;
  /** Up to 16 bytes; the rest are zero. */
  comm: Uint8Array;
}

export interface Writer extends Step {
  acquired: bigint;
  mm: bigint;
  vmaStart: bigint;
  vmaEnd: bigint;
  cgroup: bigint;
  forkWait: bigint;
  tgid: number;
  kernelStack: number;
  userStack: number;
  forkThreads: number;
  forkVmas: number;
  forkLocked: number;
  /** 16 bits with a sign. */
  prio: number;
  holderPrio: number;
  /** Up to 8 bytes. */
  file: Uint8Array;
  comm: Uint8Array;
}

function writeStep(view: DataView, s: Step): void {
  view.setUint8(VlStep.kind, s.kind);
  view.setUint8(VlStep.flags, s.flags);
  view.setUint16(VlStep.cpu, s.cpu, true);
  view.setUint32(VlStep.tid, s.tid, true);
  view.setUint32(VlStep.fault, s.fault, true);
  view.setUint16(VlStep.faultCpu, s.faultCpu, true);
  view.setUint16(VlStep.step, s.step, true);
  view.setBigUint64(VlStep.ts, s.ts, true);
  view.setUint32(VlStep.a, s.a, true);
  view.setUint32(VlStep.b, s.b, true);
}

export function encodeStep(s: Step): Uint8Array {
  const bytes = new Uint8Array(VlStep.size);
  writeStep(new DataView(bytes.buffer), s);
  return bytes;
}

export function encodeOpen(o: Open): Uint8Array {
  const bytes = new Uint8Array(VlOpen.size);
  const view = new DataView(bytes.buffer);
  writeStep(view, { ...o, flags: o.flags | VlStepFlag.INFO });
  view.setBigUint64(VlOpen.acquired, o.acquired, true);
  view.setBigUint64(VlOpen.mm, o.mm, true);
  view.setBigUint64(VlOpen.address, o.address, true);
  view.setBigUint64(VlOpen.vmaStart, o.vmaStart, true);
  view.setBigUint64(VlOpen.vmaEnd, o.vmaEnd, true);
  view.setBigUint64(VlOpen.vmFlags, o.vmFlags, true);
  view.setBigUint64(VlOpen.pte, o.pte, true);
  view.setBigUint64(VlOpen.cgroup, o.cgroup, true);
  view.setUint32(VlOpen.tgid, o.tgid, true);
  view.setUint8(VlOpen.depth, o.depth);
  bytes.set(o.comm.subarray(0, 16), VlOpen.comm);
  return bytes;
}

export function encodeWriter(w: Writer): Uint8Array {
  const bytes = new Uint8Array(VlWriter.size);
  const view = new DataView(bytes.buffer);
  writeStep(view, { ...w, flags: w.flags | VlStepFlag.INFO });
  for (const name of ['acquired', 'mm', 'vmaStart', 'vmaEnd', 'cgroup', 'forkWait'] as const)
    view.setBigUint64(VlWriter[name], w[name], true);
  for (const name of ['tgid', 'kernelStack', 'userStack', 'forkThreads', 'forkVmas', 'forkLocked'] as const)
    view.setUint32(VlWriter[name], w[name], true);
  view.setInt16(VlWriter.prio, w.prio, true);
  view.setInt16(VlWriter.holderPrio, w.holderPrio, true);
  bytes.set(w.file.subarray(0, 8), VlWriter.file);
  bytes.set(w.comm.subarray(0, 16), VlWriter.comm);
  return bytes;
}
