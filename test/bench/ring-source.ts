// SPDX-License-Identifier: MIT
/** A live session over a ring in plain memory: what src/live makes of the kernel's ring and counters, at its pace. */
import { RingBuffer } from 'ebpf-ts';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Source } from '../../src/core/events/source.js';
import { LiveBatches } from '../../src/live/batches.js';
import { COUNTER_ROWS, CounterReader } from '../../src/live/counters.js';
import { drainUntil } from '../../src/live/drain-loop.js';
import { LOCKER } from '../../src/live/lockers.js';
import { NameRows } from '../../src/live/names/names.js';
import { Sampler } from '../../src/live/sampler.js';
import { SessionClock } from '../../src/live/session-clock.js';
import { VmstatCount } from '../../src/live/vmstat.js';
import { VlCounted, VlCountedLimit } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import type { RingMemory } from './ring-storm.js';

export class RingSource implements Source {
  readonly session: SessionInfo;
  readonly #clock: SessionClock;
  readonly #batches: LiveBatches;
  #closing = false;

  constructor(memory: RingMemory) {
    const controls = {
      ended: false,
      end(): void {
        this.ended = true;
      },
      endAt(): void {},
    };
    this.#clock = new SessionClock(controls, 0n);
    const ring = RingBuffer.over(memory.consumer, memory.producer, memory.data);
    const counters = new CounterReader(memory.counters, 1, new Uint32Array(16));
    const sampler = new Sampler({ counters, programs: [], ring, stats: false });
    sampler.begin();
    const { base, realtime } = this.#clock.begin();
    this.session = syntheticSession({
      baseNs: String(base),
      clocks: [{ time: 0, realtimeNs: String(realtime) }],
      ringBytes: ring.sizeBytes,
      programs: [],
    });
    this.#batches = new LiveBatches(
      {
        attachment: {
          ring,
          lockers: new ArrayBuffer(4 * LOCKER.words),
          queues: new Uint32Array(4096),
          counted: new ArrayBuffer(VlCountedLimit.ROWS * VlCounted.size),
          controls,
        },
        clock: this.#clock,
        names: new NameRows({ stacks: null, swapDevices: null }, { kernel: false, user: false }, ['']),
        sampler,
        vmstat: new VmstatCount('/nonexistent'),
        counterRows: COUNTER_ROWS + 16,
      },
      base,
    );
  }

  async *batches(): AsyncGenerator<EventBatch> {
    yield* drainUntil(this.#batches, () => this.#closing);
    yield* this.#batches.rest();
  }

  /** Whoever fills the ring is to be done by now. */
  close(): Promise<void> {
    if (!this.#clock.hasEnded) this.#clock.end();
    this.#closing = true;
    return Promise.resolve();
  }
}
