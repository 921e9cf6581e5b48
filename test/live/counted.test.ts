// SPDX-License-Identifier: MIT
/** Ordinary swap faults from the kernel's table to the rows of a snapshot: nothing twice, nothing left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { createBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter } from '../../src/core/events/user-rows.js';
import { CountedReader } from '../../src/live/counted.js';
import { CommTable } from '../../src/live/names/comms.js';
import { VlCounted, VlCountedLimit, VlCounter } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';

const { ROWS, NO_DEVICE } = VlCountedLimit;

/** The map as the kernel side writes it. */
class Table {
  readonly bytes: ArrayBuffer = new ArrayBuffer(ROWS * VlCounted.size);
  readonly #view: DataView = new DataView(this.bytes);

  claim(slot: number, tgid: number, device: number, cgroup: bigint, comm: string): void {
    const at = slot * VlCounted.size;
    this.#view.setUint32(at + VlCounted.key, device + 1, true);
    this.#view.setUint32(at + VlCounted.key + 4, tgid, true);
    this.#view.setBigUint64(at + VlCounted.cgroup, cgroup, true);
    new Uint8Array(this.bytes).set(new TextEncoder().encode(comm), at + VlCounted.comm);
  }

  /** The two steps of a count: its time and bucket, then the fault. */
  time(slot: number, bucket: number): void {
    const at = slot * VlCounted.size;
    this.#view.setBigUint64(
      at + VlCounted.ns,
      this.#view.getBigUint64(at + VlCounted.ns, true) + 2n ** BigInt(bucket),
      true,
    );
    const hist = at + VlCounted.hist + 4 * bucket;
    this.#view.setUint32(hist, this.#view.getUint32(hist, true) + 1, true);
  }

  read(slot: number): void {
    const at = slot * VlCounted.size + VlCounted.reads;
    this.#view.setBigUint64(at, this.#view.getBigUint64(at, true) + 1n, true);
  }

  fault(slot: number): void {
    const at = slot * VlCounted.size + VlCounted.faults;
    this.#view.setBigUint64(at, this.#view.getBigUint64(at, true) + 1n, true);
  }

  count(slot: number, bucket: number, times = 1): void {
    for (let i = 0; i < times; i++) {
      this.time(slot, bucket);
      this.fault(slot);
    }
  }
}

class Reading {
  readonly table: Table = new Table();
  readonly #comms: CommTable = new CommTable();
  readonly #reader: CountedReader = new CountedReader(this.table.bytes, this.#comms);
  readonly #pipeline: Pipeline = new Pipeline(syntheticSession());

  /** `last`: once no program runs any more. */
  snapshot(time: number, last = false): Snapshot {
    for (let whole = false; !whole; ) {
      const batch = createBatch(256, this.#comms.strings);
      whole = this.#reader.emit(batch, time, last);
      this.#pipeline.push(batch);
    }
    return this.#pipeline.snapshot();
  }
}

test('counted swap faults are in the rows of their process, cgroup and device', () => {
  const reading = new Reading();
  const { table } = reading;
  table.claim(7, 183, 0, 61n, 'swapload');
  table.claim(8, 183, 1, 61n, 'swapload'); // the same process, on another device
  table.claim(4000, 212, 0, 78n, 'postgres');
  table.claim(9, 212, NO_DEVICE, 78n, 'postgres'); // markers, no swap device
  table.count(7, 13, 300);
  table.count(8, 14, 20);
  table.count(4000, 13, 5);
  table.count(9, 9, 1000);
  for (let i = 0; i < 12; i++) table.read(4000);
  const first = reading.snapshot(1e9);
  const swapOf = (snapshot: Snapshot): unknown => snapshot.processes.map(({ tgid, comm, swap }) => [tgid, comm, swap]);
  assert.deepEqual(swapOf(first), [
    [183, 'swapload', 320],
    [212, 'postgres', 5],
  ]);
  assert.deepEqual(
    first.cgroups.map(({ cgroup, swap, lifecycles }) => [cgroup, swap, lifecycles]),
    [
      [61, 320, 0],
      [78, 5, 0],
    ],
  );
  assert.deepEqual(
    first.swap.devices.map(({ type, faults, reads }) => [type, faults, reads]),
    [
      [0, 305, 12],
      [1, 20, 0],
    ],
  );
  assert.equal(first.swap.counted.faults, 1325);
  assert.equal(first.swap.faults, 325);
  // Read again: nothing twice.
  assert.deepEqual(swapOf(reading.snapshot(2e9)), swapOf(first));
  table.count(7, 13);
  assert.deepEqual(swapOf(reading.snapshot(3e9)), [
    [183, 'swapload', 321],
    [212, 'postgres', 5],
  ]);
});

test('what is added while the table is read comes with the next reading, and with the last one whatever was read before', () => {
  const reading = new Reading();
  const { table } = reading;
  table.claim(7, 183, 0, 61n, 'swapload');
  table.count(7, 13, 3);
  table.time(7, 15);
  reading.snapshot(1e9);
  table.fault(7);
  const row = reading.snapshot(2e9).swap.counted.rows[0];
  assert.ok(row);
  assert.equal(row.faults, 4);
  assert.equal(
    row.hist.reduce((sum, n) => sum + n, 0),
    4,
  );
  assert.equal(row.ns, 3 * 2 ** 13 + 2 ** 15);
  // Where writes are seen in another order: the fault before its time.
  table.fault(7);
  assert.equal(reading.snapshot(3e9).swap.counted.faults, 4);
  table.time(7, 14);
  assert.equal(reading.snapshot(4e9, true).swap.counted.faults, 5);
});

test('a table that is full of changes is read in as many batches as that takes, and halves run over', () => {
  const reading = new Reading();
  const { table } = reading;
  for (let slot = 0; slot < ROWS; slot++) {
    table.claim(slot, 1000 + slot, slot % 3, 61n, `worker-${slot}`);
    table.count(slot, 13, 2);
    table.count(slot, 31);
    table.count(slot, 31);
  }
  const { counted, devices } = reading.snapshot(1e9).swap;
  assert.equal(counted.faults, 4 * ROWS);
  assert.equal(
    devices.reduce((sum, { faults }) => sum + faults, 0),
    4 * ROWS,
  );
  assert.equal(counted.rows[0]?.ns, 2 * 2 ** 13 + 2 ** 32);
});

test('where swap faults are counted, how many came back at once is not known', () => {
  const pipeline = new Pipeline(syntheticSession());
  assert.equal(pipeline.snapshot().progress.refaults, 0);
  const batch = createBatch(8, ['']);
  pushCounter(batch, 1, CounterGroup.Kernel, VlCounter.SWAP_COUNTED, 1);
  pipeline.push(batch);
  assert.equal(pipeline.snapshot().progress.refaults, null);
});
