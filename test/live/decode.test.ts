// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingProducer } from 'ebpf-ts/testing';
import fc from 'fast-check';
import { clearBatch, createBatch, type EventBatch, isOfNoFault } from '../../src/core/events/batch.js';
import { EventDecoder } from '../../src/live/decode.js';
import { CommTable, OTHER_COMM } from '../../src/live/names/comms.js';
import { VlKind, VlKindNames, VlStepFlag } from '../../src/schema/events.gen.js';
import { encodeOpen, encodeStep, encodeWriter, type Open, type Step, type Writer } from './records.js';

const BASE = 0x1_ffff_fff0n;
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
const step = stepOf(KINDS);
const comm = fc.oneof(
  fc.constantFrom('', 'postgres', 'a-name-of-fifteen').map((name) => Buffer.from(name)),
  fc.string({ unit: 'grapheme', maxLength: 16 }).map((name) => Buffer.from(name.replaceAll('\0', '.'))),
);
const open: fc.Arbitrary<Open> = fc
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
const writer: fc.Arbitrary<Writer> = fc
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

type Sent = Step | Open | Writer;
const isOpen = (record: Sent): record is Open => 'pte' in record;
const isWriter = (record: Sent): record is Writer => 'prio' in record;
const encode = (record: Sent): Uint8Array =>
  isOpen(record) ? encodeOpen(record) : isWriter(record) ? encodeWriter(record) : encodeStep(record);
const since = (ns: bigint): number => Number(ns - BASE);

/** A row as plain values; what the record says, by arithmetic on BigInt alone. */
function expected(record: Sent): Record<string, unknown> {
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

function rowOf(batch: EventBatch, i: number): Record<string, unknown> {
  const { length, strings, value, comm: comms, file: files, ...columns } = batch;
  const row = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[i]]));
  return { ...row, comm: strings[comms[i] as number], file: strings[files[i] as number] };
}

function rowsOf(batch: EventBatch): Record<string, unknown>[] {
  return Array.from({ length: batch.length }, (_, i) => rowOf(batch, i));
}

const plain: Step = {
  kind: VlKind.SWAP_EXIT,
  flags: 0,
  cpu: 3,
  tid: 7,
  fault: 9,
  faultCpu: 2,
  step: 1,
  ts: BASE + 5n,
  a: 1,
  b: 2,
};
const opening: Open = {
  ...plain,
  kind: VlKind.SWAP_ENTER,
  step: 0,
  acquired: BASE + 1n,
  mm: 5n,
  address: 0x7000n,
  vmaStart: 0x6000n,
  vmaEnd: 0x8000n,
  vmFlags: 2n ** 63n,
  pte: 1n,
  cgroup: 11n,
  tgid: 6,
  depth: 1,
  comm: Buffer.from('redis-server'),
};

describe('EventDecoder', () => {
  it('decodes any records to what they say, through any ring and batch size', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof({ weight: 3, arbitrary: step }, { weight: 1, arbitrary: open }, { weight: 1, arbitrary: writer }),
          {
            maxLength: 40,
            size: 'max',
          },
        ),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(0n, 2n ** 32n - 64n),
        (records, rows, position) => {
          const producer = new RingProducer(512, position);
          const decoder = new EventDecoder(producer.ring, BASE, rows);
          const batch = decoder.createBatch();
          const got: Record<string, unknown>[] = [];
          const take = (): void => {
            while (decoder.drainInto(batch) > 0) {
              got.push(...rowsOf(batch));
              clearBatch(batch);
            }
          };
          for (const record of records) {
            if (producer.output(encode(record))) continue;
            take();
            assert.ok(producer.output(encode(record)));
          }
          take();
          assert.deepEqual(got, records.map(expected));
          assert.equal(producer.ring.used(), 0);
          const perKind = new Float64Array(64);
          for (const { kind } of records) perKind[kind] = (perKind[kind] as number) + 1;
          assert.deepEqual(decoder.decoded, perKind);
          assert.equal(decoder.malformed, 0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts records it cannot understand, skips them, and decodes their neighbours', () => {
    const bad = [
      encodeStep({ ...plain, kind: 0 }),
      encodeStep({ ...plain, kind: VlKindNames.length }),
      encodeStep({ ...plain, flags: VlStepFlag.INFO }),
      encodeOpen(opening).fill(0, 1, 2),
      // A fault's record under the kind of a writer.
      encodeOpen({ ...opening, kind: VlKind.W_VMA }),
      encodeStep(plain).subarray(0, 24),
      new Uint8Array(0),
    ];
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    const batch = decoder.createBatch();
    for (const bytes of bad) {
      producer.output(encodeOpen(opening));
      producer.output(bytes);
      producer.output(encodeStep(plain));
    }
    assert.equal(decoder.drainInto(batch), 2 * bad.length);
    assert.equal(decoder.malformed, bad.length);
    assert.deepEqual(
      rowsOf(batch),
      bad.flatMap(() => [expected(opening), expected(plain)]),
    );
  });

  it('appends to a batch with rows, stops when it is full, and leaves the rest in the ring', () => {
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    const batch = createBatch(4, decoder.strings);
    for (let n = 0; n < 6; n++) producer.output(encodeStep({ ...plain, step: n }));
    batch.length = 1;
    assert.equal(decoder.drainInto(batch), 3);
    assert.deepEqual([...batch.step], [0, 0, 1, 2]);
    assert.equal(producer.ring.used(), 3 * 40);
    assert.equal(decoder.drainInto(batch), 0);
  });

  it('takes nothing behind an end of the ring as it was: what counters did not count yet', () => {
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    const batch = decoder.createBatch();
    for (let n = 0; n < 2; n++) producer.output(encodeStep({ ...plain, step: n }));
    const { end } = producer.ring.begin();
    for (let n = 2; n < 6; n++) producer.output(encodeStep({ ...plain, step: n }));
    assert.equal(decoder.drainInto(batch, end), 2);
    assert.equal(decoder.drainInto(batch, end), 0);
    assert.equal(decoder.drainInto(batch), 4);
    assert.equal(decoder.drainInto(batch, end), 0, 'an end that was passed');
  });

  it('waits at a record that is being written, skips a discarded one', () => {
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    const batch = decoder.createBatch();
    producer.discard(producer.reserve(32));
    producer.output(encodeStep(plain));
    const busy = producer.reserve(32);
    producer.output(encodeStep({ ...plain, step: 3 }));
    assert.equal(decoder.drainInto(batch), 1);
    assert.equal(decoder.drainInto(batch), 0);
    producer.submit(busy, encodeStep({ ...plain, step: 2 }));
    assert.equal(decoder.drainInto(batch), 2);
    assert.deepEqual([...batch.step.subarray(0, 3)], [1, 2, 3]);
  });

  it('adds nothing once the ring is closed', () => {
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    producer.output(encodeStep(plain));
    producer.ring.close();
    assert.equal(decoder.drainInto(decoder.createBatch()), 0);
  });
});

describe('a list of strings that has become long', () => {
  it('is begun anew, and no name is lost for it', () => {
    const producer = new RingProducer(4096);
    const decoder = new EventDecoder(producer.ring, BASE);
    assert.equal(decoder.renewStrings(), false);
    const first = decoder.strings;
    let batch = decoder.createBatch();
    for (let n = 0; n < 200_000; n++) {
      producer.output(encodeOpen({ ...opening, comm: Buffer.from(`job-${n}`) }));
      assert.equal(decoder.drainInto(batch), 1);
      assert.equal(batch.strings[batch.comm[0] as number], `job-${n}`);
      clearBatch(batch);
      if (decoder.renewStrings()) batch = decoder.createBatch();
      assert.ok(decoder.strings.length <= 65_536);
    }
    assert.notEqual(decoder.strings, first);
  });
});

describe('CommTable', () => {
  const id = (table: CommTable, bytes: Uint8Array): number => {
    const whole = Buffer.alloc(16);
    whole.set(bytes.subarray(0, 16));
    return table.id(whole.readUInt32LE(0), whole.readUInt32LE(4), whole.readUInt32LE(8), whole.readUInt32LE(12));
  };

  it('gives a name one id, whatever follows its first zero byte', () => {
    const table = new CommTable();
    assert.equal(id(table, Buffer.from('')), 0);
    assert.equal(id(table, Buffer.from('bash')), 1);
    assert.equal(id(table, Buffer.from('bash\0left over')), 1);
    assert.equal(id(table, Buffer.from('bash')), 1);
    assert.equal(id(table, Buffer.from('0123456789abcdef')), 2);
    assert.deepEqual(table.strings, ['', 'bash', '0123456789abcdef']);
  });

  it('keeps ids apart as it grows, and grows no further than its bound', () => {
    const table = new CommTable();
    const names = Array.from({ length: 70_000 }, (_, i) => Buffer.from(`ten-bytes-${i}`));
    const ids = names.map((name) => id(table, name));
    const own = ids.filter((n) => table.strings[n] !== OTHER_COMM);
    assert.equal(new Set(own).size, own.length);
    assert.ok(own.length >= 65_536);
    assert.ok(table.strings.length <= 65_538);
    for (const [i, name] of names.entries()) assert.equal(id(table, name), ids[i]);
    for (const [i, n] of own.entries()) assert.equal(table.strings[n], `ten-bytes-${i}`);
  });
});
