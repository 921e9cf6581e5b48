// SPDX-License-Identifier: MIT
/** How many records a second one core takes from a ring into batches. The producer's share is not timed. */

import { RingProducer } from 'ebpf-ts/testing';
import { clearBatch } from '../../src/core/events/batch.js';
import { EventDecoder } from '../../src/live/decode.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { encodeOpen, encodeStep, type Step } from '../live/records.js';

const RING_BYTES = 4 * 2 ** 20;
const WARM_UP = 8;
const ROUNDS = 24;
const BASE_NS = 3_600_000_000_000n;

/** One lifecycle: an open record and the eight steps after it. */
function lifecycle(): Uint8Array[] {
  const step = (n: number, kind: number): Step => ({
    kind,
    flags: 0,
    cpu: 1,
    tid: 4242,
    fault: 77,
    faultCpu: 1,
    step: n,
    ts: BASE_NS + 5_000_000_000n + BigInt(n),
    a: 0x1354,
    b: 0x400,
  });
  const open = encodeOpen({
    ...step(0, VlKind.SWAP_ENTER),
    acquired: BASE_NS + 4_999_999_000n,
    mm: 0xf_8881_0123_4000n,
    address: 0x7f12_3456_7000n,
    vmaStart: 0x7f12_3000_0000n,
    vmaEnd: 0x7f12_4000_0000n,
    vmFlags: 0x8_0010_0073n,
    pte: 0x3ff_ffff_0000_0042n,
    cgroup: 4711n,
    tgid: 4242,
    depth: 0,
    comm: Buffer.from('postgres'),
  });
  const kinds = [
    VlKind.SWAP_DEVICE,
    VlKind.FLOR_ENTER,
    VlKind.FLOR_EXIT,
    VlKind.SWAP_EXIT,
    VlKind.HMF_EXIT,
    VlKind.MM_LOCK_ENTER,
    VlKind.MM_LOCK_EXIT,
    VlKind.HMF_EXIT,
  ];
  return [open, ...kinds.map((kind, i) => encodeStep(step(i + 1, kind)))];
}

/** Fills a 4 MiB ring, then times drain and decode into reused batches; `eventsPerSec` over all timed rounds after warm-up. */
export function benchRingDecode(): { eventsPerSec: number } {
  const producer = new RingProducer(RING_BYTES);
  const decoder = new EventDecoder(producer.ring, BASE_NS);
  const batch = decoder.createBatch();
  const records = lifecycle();
  let events = 0;
  let ns = 0n;
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (let i = 0; producer.output(records[i % records.length] as Uint8Array); i++);
    let rows = 0;
    const start = process.hrtime.bigint();
    for (let added = decoder.drainInto(batch); added > 0; added = decoder.drainInto(batch)) {
      rows += added;
      clearBatch(batch);
    }
    const elapsed = process.hrtime.bigint() - start;
    if (round < WARM_UP) continue;
    events += rows;
    ns += elapsed;
  }
  if (decoder.malformed > 0 || events === 0) throw new Error('the benchmark wrote records the decoder does not take');
  return { eventsPerSec: (events / Number(ns)) * 1e9 };
}
