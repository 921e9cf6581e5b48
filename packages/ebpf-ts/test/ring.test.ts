// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BpfError } from '../src/errors.js';
import { RingBuffer } from '../src/ring.js';
import { RING_HEADER, RING_LENGTH, ringStride } from '../src/ring-record.js';
import { RingProducer } from '../src/testing.js';

const SIZE = 256;
/** Where the low 32 bits of the positions run over, and where a signed reading of them would. */
const STARTS = [0n, 2n ** 31n - 64n, 2n ** 32n - 128n, 7n * 2n ** 32n - 8n];

/** Record `id`'s bytes: no two records are alike, and none is all zero. */
const payload = (id: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => ((id * 37 + i * 11) % 255) + 1);

interface Modelled {
  readonly id: number;
  readonly length: number;
  readonly offset: number;
  state: 'busy' | 'submitted' | 'discarded';
}

type Command =
  | { readonly do: 'reserve'; readonly length: number }
  | { readonly do: 'finish'; readonly pick: number; readonly discard: boolean }
  | { readonly do: 'drain'; readonly max: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('reserve' as const), length: fc.integer({ min: 0, max: 120 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('finish' as const), pick: fc.nat(8), discard: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('drain' as const),
      max: fc.constantFrom(0, 1, 2, Number.POSITIVE_INFINITY),
    }),
  },
);

describe('RingBuffer', () => {
  it('gives what a queue would give, over any order of reserve, submit, discard and drain', () => {
    let wrapped = 0;
    fc.assert(
      fc.property(fc.constantFrom(...STARTS), fc.array(command, { maxLength: 120, size: 'max' }), (start, commands) => {
        const producer = new RingProducer(SIZE, start);
        const { ring } = producer;
        let queue: Modelled[] = [];
        let nextId = 0;
        const used = (): number => queue.reduce((sum, record) => sum + ringStride(record.length), 0);
        for (const step of commands) {
          if (step.do === 'reserve') {
            const room = used() + ringStride(step.length) < SIZE;
            const offset = producer.reserve(step.length);
            assert.equal(offset >= 0, room);
            if (!room) continue;
            if (offset + step.length > SIZE) wrapped++;
            queue.push({ id: nextId++, length: step.length, offset, state: 'busy' });
          } else if (step.do === 'finish') {
            const busy = queue.filter((record) => record.state === 'busy');
            const record = busy[step.pick % Math.max(busy.length, 1)];
            if (record === undefined) continue;
            if (step.discard) producer.discard(record.offset);
            else producer.submit(record.offset, payload(record.id, record.length));
            record.state = step.discard ? 'discarded' : 'submitted';
          } else {
            const wanted: Uint8Array[] = [];
            let read = 0;
            for (const record of queue) {
              if (record.state === 'busy' || wanted.length === step.max) break;
              read++;
              if (record.state === 'submitted') wanted.push(payload(record.id, record.length));
            }
            queue = queue.slice(read);
            const got: Uint8Array[] = [];
            const visited = ring.drain((offset, length) => got.push(ring.u8.slice(offset, offset + length)), step.max);
            assert.deepEqual(got, wanted);
            assert.equal(visited, wanted.length);
          }
          assert.equal(ring.used(), used());
          assert.equal(producer.producerPosition - producer.consumerPosition, BigInt(used()));
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(wrapped > 0, 'no record of this run wrapped around');
  });

  it('hands out low 32 bits of the positions and keeps all 64', () => {
    const start = 2n ** 32n - 40n;
    const producer = new RingProducer(SIZE, start);
    const { ring } = producer;
    for (let id = 0; id < 3; id++) assert.ok(producer.output(payload(id, 24)));
    const { start: from, end } = ring.begin();
    assert.equal(from, 2 ** 32 - 40);
    assert.equal(end, 56);
    assert.equal((end - from) >>> 0, 96);
    const header = Atomics.load(ring.u32, (from & ring.mask) >>> 2);
    assert.equal(header & RING_LENGTH, 24);
    assert.deepEqual(
      ring.u8.slice((from & ring.mask) + RING_HEADER, (from & ring.mask) + RING_HEADER + 24),
      payload(0, 24),
    );
    ring.commit((from + 64) >>> 0);
    assert.equal(producer.consumerPosition, start + 64n);
    assert.equal(ring.used(), 32);
    ring.commit(end);
    assert.equal(producer.consumerPosition, 2n ** 32n + 56n);
    assert.equal(ring.used(), 0);
  });

  it('counts a record whose visitor threw as read, and none after it', () => {
    const producer = new RingProducer(SIZE);
    for (let id = 0; id < 3; id++) producer.output(payload(id, 8));
    const boom = new Error('boom');
    let calls = 0;
    const visit = (): void => {
      if (++calls === 2) throw boom;
    };
    assert.throws(() => producer.ring.drain(visit), boom);
    assert.equal(producer.ring.used(), ringStride(8));
    assert.equal(
      producer.ring.drain(() => {}),
      1,
    );
  });

  it('is empty and unmapped after close, also when closed by a visitor', () => {
    const producer = new RingProducer(SIZE);
    const { ring } = producer;
    for (let id = 0; id < 2; id++) producer.output(payload(id, 8));
    assert.equal(
      ring.drain(() => ring.close()),
      1,
    );
    ring.close();
    assert.equal(ring.u8.length + ring.u32.length + ring.u64.length, 0);
    assert.equal(ring.used(), 0);
    assert.equal(
      ring.drain(() => assert.fail('visited a record of a closed ring')),
      0,
    );
    ring.commit(16);
    assert.equal(producer.consumerPosition, 0n);
  });

  it('refuses to give back what was not read', () => {
    const producer = new RingProducer(SIZE);
    producer.output(payload(1, 8));
    for (const position of [24, 17, -1, 2 ** 31])
      assert.throws(() => producer.ring.commit(position >>> 0), { code: 'ERR_BPF_RANGE' });
    assert.equal(producer.consumerPosition, 0n);
    producer.ring.commit(16);
    assert.equal(producer.consumerPosition, 16n);
  });

  it('refuses sizes that are no power of two', () => {
    for (const bytes of [0, 24, 3 * 4096]) {
      assert.throws(
        () => RingBuffer.over(new ArrayBuffer(8), new ArrayBuffer(8), new ArrayBuffer(2 * bytes)),
        (error: unknown) => error instanceof BpfError && /not a power of two/.test(error.message),
      );
    }
  });
});
