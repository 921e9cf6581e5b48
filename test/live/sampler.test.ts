// SPDX-License-Identifier: MIT
/** Counters are read while the kernel counts on: no value reported for a session ever goes down. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RingBuffer } from 'ebpf-ts';
import { createBatch } from '../../src/core/events/batch.js';
import { CounterGroup } from '../../src/core/events/user-rows.js';
import { CounterReader } from '../../src/live/counters.js';
import { type AttachedProgram, Sampler } from '../../src/live/sampler.js';
import { VlCounter, VlCpu } from '../../src/schema/events.gen.js';

const STANDBY = (VlCpu.counter + 8 * VlCounter.STANDBY) / 4;

/** A kernel that preempts the first program on handle_mm_fault: it misses runs, most of which the second one covers. */
class Preempted {
  readonly words: Uint32Array = new Uint32Array(VlCpu.size / 4);
  misses = 0;
  /** Hits at which ftrace did not come to any program; null: this kind of link has no such count. */
  unreached: number | null = null;
  /** What goes on whenever an account is read. */
  meanwhile: () => void = () => {};

  miss(covered: boolean): void {
    this.misses++;
    if (covered) this.words[STANDBY] = (this.words[STANDBY] as number) + 1;
  }

  sampler(): Sampler {
    const program = (name: string, misses: () => number): AttachedProgram => ({
      name,
      account: () => {
        this.meanwhile();
        const recursionMisses = misses();
        this.meanwhile();
        return { id: 0, runCount: 0, runTimeNs: 0, recursionMisses, missed: this.unreached };
      },
    });
    const counters = new CounterReader(this.words.buffer as ArrayBuffer, 1, new Uint32Array(16));
    const programs = [
      program('fexit_handle_mm_fault', () => this.misses),
      program('fexit_handle_mm_fault_standby', () => 0),
    ];
    const sampler = new Sampler({ counters, programs, ring: { used: () => 0 } as RingBuffer, stats: false });
    sampler.begin();
    return sampler;
  }
}

/** Missed runs as the samples say them one after the other; a value that stays is not said again. */
function missedIn(sampler: Sampler, samples: number, between: (i: number) => void, before = 0): number[] {
  const said: number[] = [];
  let latest = before;
  for (let i = 0; i < samples; i++) {
    between(i);
    const batch = createBatch(1024, ['']);
    sampler.sample(batch, i);
    for (let row = 0; row < batch.length; row++)
      if (batch.a[row] === CounterGroup.Missed && batch.b[row] === 0) latest = batch.value[row] as number;
    said.push(latest);
  }
  return said;
}

describe('runs that the kernel skipped', () => {
  it('do not become fewer when runs are missed and covered while the accounts are read', () => {
    const kernel = new Preempted();
    const sampler = kernel.sampler();
    kernel.meanwhile = () => kernel.miss(true);
    const said = missedIn(sampler, 20, (i) => {
      if (i % 5 === 0) kernel.miss(false);
      if (i % 3 === 0) for (let n = 0; n < 7; n++) kernel.miss(true);
    });
    kernel.meanwhile = () => {};
    assert.deepEqual(
      said,
      [...said].sort((x, y) => x - y),
      'one went back',
    );
    assert.ok(Math.max(...said) <= 4, `more than were missed: ${said}`);
    // Nothing runs any more: those that nobody covered.
    assert.deepEqual(
      missedIn(sampler, 1, () => {}, said.at(-1)),
      [4],
    );
  });

  it('are also those that ftrace did not come to the program for', () => {
    const kernel = new Preempted();
    kernel.unreached = 2;
    const sampler = kernel.sampler();
    kernel.unreached = 5;
    kernel.miss(false);
    assert.deepEqual(
      missedIn(sampler, 1, () => {}),
      [4],
    );
  });

  it('are those that nobody covered, when nothing runs any more', () => {
    const kernel = new Preempted();
    const sampler = kernel.sampler();
    for (let i = 0; i < 100; i++) kernel.miss(i % 4 !== 0);
    assert.deepEqual(
      missedIn(sampler, 1, () => {}),
      [25],
    );
  });
});
