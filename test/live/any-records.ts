// SPDX-License-Identifier: MIT
/** Any record the kernel side may send, and the row it must become: by arithmetic on BigInt alone. */
import fc from 'fast-check';
import { isOfNoFault } from '../../src/core/events/batch.js';
import { VlKindNames, VlStepFlag } from '../../src/schema/events.gen.js';
import { encodeOpen, encodeStep, encodeWriter, type Open, type Step, type Writer } from './records.js';

export const BASE = 0x1_ffff_fff0n;
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const exact = fc.bigInt({ min: 0n, max: 2n ** 53n - 1n });
const page = fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }).map((n) => n << 12n);
/** Times around the base, where the low word runs over, and far from it. */
const time = fc.oneof(
  fc.bigInt({ min: -64n, max: 64n }).map((d) => BASE + d),
  fc.bigInt({ min: 1n, max: 2n ** 53n - 1n }),
);
const KINDS = VlKindNames.map((_, kind) => kind).slice(1);
const stepOf = (kinds: readonly number[]): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    flags: u8.map((flags) => flags & ~VlStepFlag.INFO),
    cpu: u16,
    tid: u32,
    fault: u32,
    faultCpu: u16,
    step: u16,
    ts: time,
    a: u32,
    b: u32,
  });
export const step: fc.Arbitrary<Step> = stepOf(KINDS);
const comm = fc.oneof(
  fc.constantFrom('', 'postgres', 'a-name-of-fifteen').map((name) => Buffer.from(name)),
  fc.string({ unit: 'grapheme', maxLength: 16 }).map((name) => Buffer.from(name.replaceAll('\0', '.'))),
);
export const open: fc.Arbitrary<Open> = fc
  .tuple(
    stepOf(KINDS.filter((kind) => !isOfNoFault(kind))),
    fc.record({
      acquired: fc.oneof(fc.constant(0n), time),
      mm: exact,
      address: page,
      vmaStart: page,
      vmaEnd: page,
      vmFlags: u64,
      pte: u64,
      cgroup: exact,
      tgid: u32,
      depth: u8,
      comm,
    }),
  )
  .map(([first, info]) => ({ ...first, ...info }));

const i16 = fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 });
export const writer: fc.Arbitrary<Writer> = fc
  .tuple(
    stepOf(KINDS.filter(isOfNoFault)),
    fc.record({
      acquired: fc.oneof(fc.constant(0n), time),
      mm: exact,
      vmaStart: page,
      vmaEnd: page,
      cgroup: exact,
      forkWait: exact,
      tgid: u32,
      kernelStack: u32,
      userStack: u32,
      forkThreads: u32,
      forkVmas: u32,
      forkLocked: u32,
      prio: i16,
      holderPrio: i16,
      file: fc.constantFrom('', 'maps', 'smaps_r', 'clear_re').map((name) => Buffer.from(name)),
      comm,
    }),
  )
  .map(([first, info]) => ({ ...first, ...info }));

export type Sent = Step | Open | Writer;
const isOpen = (record: Sent): record is Open => 'pte' in record;
const isWriter = (record: Sent): record is Writer => 'prio' in record;
export const encode = (record: Sent): Uint8Array =>
  isOpen(record) ? encodeOpen(record) : isWriter(record) ? encodeWriter(record) : encodeStep(record);
const since = (ns: bigint): number => Number(ns - BASE);

/** A row as plain values; what the record says, by arithmetic on BigInt alone. */
export function expected(record: Sent): Record<string, unknown> {
  const { kind, cpu, tid, fault, faultCpu, a, b } = record;
  const common = { kind, cpu, tid, fault, faultCpu, a, b, step: record.step, time: since(record.ts) };
  const none = {
    tgid: 0,
    comm: '',
    depth: 0,
    acquired: Number.NaN,
    mm: 0,
    address: 0,
    vmaStart: 0,
    vmaEnd: 0,
    vmFlags: 0n,
    pte: 0n,
    cgroup: 0,
    kernelStack: -1,
    userStack: -1,
    prio: 0,
    holderPrio: 0,
    file: '',
    forkThreads: 0,
    forkVmas: 0,
    forkLocked: 0,
    forkWait: 0,
  };
  if (!isOpen(record) && !isWriter(record)) return { ...common, flags: record.flags, ...none };
  const both = {
    ...common,
    ...none,
    flags: record.flags | VlStepFlag.INFO,
    tgid: record.tgid,
    comm: Buffer.from(record.comm.subarray(0, 16)).toString('utf8'),
    acquired: record.acquired === 0n ? Number.NaN : since(record.acquired),
    mm: Number(record.mm),
    vmaStart: Number(record.vmaStart),
    vmaEnd: Number(record.vmaEnd),
    cgroup: Number(record.cgroup),
  };
  if (isOpen(record))
    return {
      ...both,
      depth: record.depth,
      address: Number(record.address),
      vmFlags: record.vmFlags,
      pte: record.pte,
    };
  return {
    ...both,
    kernelStack: record.kernelStack | 0,
    userStack: record.userStack | 0,
    prio: record.prio,
    holderPrio: record.holderPrio,
    file: Buffer.from(record.file).toString('utf8'),
    forkThreads: record.forkThreads,
    forkVmas: record.forkVmas,
    forkLocked: record.forkLocked,
    forkWait: Number(record.forkWait),
  };
}
