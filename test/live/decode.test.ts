// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingProducer } from 'ebpf-ts/testing';
import fc from 'fast-check';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { EventDecoder } from '../../src/live/decode.js';
import { VlKind, VlKindNames, VlStepFlag } from '../../src/schema/events.gen.js';
import { BASE, encode, expected, open, step, writer } from './any-records.js';
import { encodeOpen, encodeStep, type Open, type Step } from './records.js';

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
