// SPDX-License-Identifier: MIT
/** What `check` holds of tasks is bounded by bytes: faults that go round and round have hundreds of steps, and tasks there may be many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Collector } from '../../src/core/check/collect.js';
import type { Trace } from '../../src/core/check/trace.js';
import { TracePool } from '../../src/core/check/trace-pool.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';

const TASKS = 4096;
/** 16 MiB, a step being 32 bytes. */
const HELD = 1 << 19;

/** The first `steps` steps of a fault of each of `TASKS` tasks, one step of each in turn. */
function* rounds(steps: number): Generator<EventBatch> {
  for (let step = 0; step < steps; step++) {
    const batch = createBatch(TASKS, ['']);
    batch.length = TASKS;
    for (let i = 0; i < TASKS; i++) {
      batch.kind[i] = step % 2 === 0 ? VlKind.FLOR_ENTER : VlKind.FLOR_EXIT;
      batch.flags[i] = step === 0 ? VlStepFlag.INFO : 0;
      batch.tid[i] = 1 + i;
      batch.fault[i] = 1 + i;
      batch.step[i] = step;
      batch.time[i] = step * TASKS + i;
    }
    yield batch;
  }
}

/** Steps of the traces handed on, in the order of their tasks, and how many before the end. */
function collect(steps: number): { readonly judged: number[]; readonly early: number; readonly most: number } {
  const judged: number[] = [];
  let gone = 0;
  let most = 0;
  let pushed = 0;
  const collector = new Collector(
    (trace) => {
      judged.push(trace.tid);
      gone += trace.steps.length;
    },
    () => false,
  );
  for (const batch of rounds(steps))
    for (let i = 0; i < batch.length; i++) {
      collector.row(batch, i);
      pushed++;
      most = Math.max(most, pushed - gone);
    }
  const early = judged.length;
  collector.finish();
  assert.equal(gone, pushed, 'every step is judged with its trace');
  return { judged, early, most };
}

test('few steps each: every task is remembered to the end', () => {
  const { judged, early, most } = collect(HELD / TASKS - 8);
  assert.equal(early, 0);
  assert.equal(most, HELD - 8 * TASKS);
  assert.equal(judged.length, TASKS);
});

test('more steps than may be held: those known longest go first', () => {
  const { judged, early, most } = collect(HELD / TASKS + 8);
  assert.ok(early > 0);
  assert.ok(most <= HELD, `${most} steps held`);
  // What was forgotten comes back without its first step, and is another trace.
  assert.ok(judged.length > TASKS);
  assert.deepEqual(
    judged.slice(0, 100),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
});

test('one that is suspected takes its steps along: what it leaves is used by others', () => {
  const pool = new TracePool();
  const suspected = pool.trace(1, 0, 1);
  for (let step = 0; step < 20; step++) suspected.add(VlKind.WAIT_ENTER, 0, step, step, -step);
  suspected.keep();
  pool.letGo(suspected);
  assert.equal(pool.store.bytes, 0);
  const other = pool.trace(2, 0, 2);
  for (let step = 0; step < 20; step++) other.add(VlKind.WAIT_EXIT, 0, 7, 7, 7);
  assert.equal(suspected.steps.length, 20);
  assert.deepEqual(suspected.steps[19], { kind: VlKind.WAIT_ENTER, flags: 0, time: 19, a: 19, b: -19 });
  assert.equal(other.steps[0]?.kind, VlKind.WAIT_EXIT);
  pool.letGo(other);
  assert.equal(pool.store.bytes, 0);
});

test('steps are those of whoever is asked, though a trace is used again', () => {
  const pool = new TracePool();
  const of = (tid: number, steps: number): Trace => {
    const trace = pool.trace(tid, 0, tid);
    for (let step = 0; step < steps; step++) trace.add(VlKind.WAIT_ENTER, 0, step, tid, step);
    return trace;
  };
  const [first, second] = [of(1, 9), of(2, 17)];
  const shown = first.steps;
  assert.deepEqual([second.steps.length, shown.length, first.steps.length], [17, 9, 9]);
  assert.ok(shown.every(({ a }) => a === 1));
  pool.letGo(first);
  const again = of(3, 9);
  assert.equal(again, first, 'the same object');
  assert.ok(again.steps.every(({ a }) => a === 3));
});
