// SPDX-License-Identifier: MIT
/** `struct vl_step` and `struct vl_open` as bytes, written and read field by field through a DataView: the slow, plain way. */
import { VlOpen, VlStep, VlStepFlag } from '../../src/schema/events.gen.js';

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
