// SPDX-License-Identifier: MIT
/** The loop over a source: turns, pace, stop, errors. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EventBatch } from '../../src/core/events/batch.js';
import { type Clock, drive } from '../../src/core/events/drive.js';

const batch = (ms: number): EventBatch => ({ length: 1, time: Float64Array.of(ms * 1e6) }) as unknown as EventBatch;

class Fake implements Clock {
  time = 0;
  turns = 0;
  now = (): number => this.time;
  turn = async (): Promise<void> => {
    this.turns++;
  };
  sleep = async (ms: number): Promise<void> => {
    this.time += ms;
  };
}

class Batches {
  asked = 0;
  closed = false;
  readonly #times: readonly number[];
  readonly #error: Error | null;
  constructor(times: readonly number[], error: Error | null = null) {
    this.#times = times;
    this.#error = error;
  }
  async *batches(): AsyncGenerator<EventBatch> {
    try {
      for (const time of this.#times) {
        this.asked++;
        yield batch(time);
      }
      if (this.#error !== null) throw this.#error;
    } finally {
      this.closed = true;
    }
  }
}

describe('drive', () => {
  it('pushes every batch and gives back what the source threw behind them', async () => {
    const error = new Error('damaged');
    const seen: number[] = [];
    const push = (b: EventBatch): void => void seen.push((b.time[0] as number) / 1e6);
    assert.deepEqual(await drive(new Batches([1, 2, 3], error), push, new Fake()), { error });
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(await drive(new Batches([4]), push, new Fake()), { error: null });
  });

  it('waits for the sink, and rejects with what it throws once the source is given up', async () => {
    const source = new Batches([1, 2, 3]);
    const order: string[] = [];
    const push = async (b: EventBatch): Promise<void> => {
      order.push(`in ${b.time[0]}`);
      await Promise.resolve();
      order.push(`out ${b.time[0]}`);
      if (b.time[0] === 2e6) throw new Error('disk full');
    };
    await assert.rejects(drive(source, push, new Fake()), /disk full/);
    assert.deepEqual(order, ['in 1000000', 'out 1000000', 'in 2000000', 'out 2000000']);
    assert.equal(source.closed, true);
  });

  it('asks for no batch more once the sink wants none, or it was stopped', async () => {
    for (const stop of ['push', 'stopped'] as const) {
      const source = new Batches([1, 2, 3]);
      let pushed = 0;
      const push = (): boolean => ++pushed < 2 || stop !== 'push';
      const stopped = (): boolean => stop === 'stopped' && pushed === 2;
      assert.deepEqual(await drive(source, push, new Fake(), { stopped }), { error: null });
      assert.deepEqual([pushed, source.asked, source.closed], [2, 2, true], stop);
    }
  });

  it('gives the event loop a turn once pushing has taken a while', async () => {
    const clock = new Fake();
    const push = (): void => {
      clock.time += 3;
    };
    await drive(new Batches([1, 2, 3, 4, 5, 6]), push, clock);
    assert.equal(clock.turns, 3, 'after 6 ms each');
  });

  it('plays at a pace from the first batch on, and stops while it waits', async () => {
    const clock = new Fake();
    const at: number[] = [];
    await drive(new Batches([1000, 1300, 2000]), () => void at.push(clock.time), clock, { speed: 2 });
    assert.deepEqual(at, [0, 150, 500]);
    const stopped = (): boolean => clock.time >= 600;
    const late: number[] = [];
    await drive(new Batches([0, 1e6]), () => void late.push(clock.time), clock, { speed: 1, stopped });
    assert.ok(clock.time < 800, 'it did not wait for the second');
    assert.equal(late.length, 1, 'nor push it');
  });
});
