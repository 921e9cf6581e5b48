// SPDX-License-Identifier: MIT
/** A fault that is stuck fires while it is stuck; one whose end may have been lost does not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AlertWatch } from '../../src/actions/watch.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushRow } from '../../src/core/events/user-rows.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession, VMA_FLAGS } from '../core/session.js';
import { rule } from './helpers.js';

/** A swap fault of task 7: [kind, a]. The first ends in a wait for a folio, the second where nothing is waited for. */
const WAITING: readonly (readonly [kind: number, a: number])[] = [
  [VlKind.SWAP_ENTER, VMA_FLAGS],
  [VlKind.SWAP_DEVICE, 0],
  [VlKind.FLOR_ENTER, VMA_FLAGS],
];
const RUNNING = WAITING.slice(0, 2);

interface Course {
  readonly steps: typeof WAITING;
  /** Seconds at which the counters say that one more record was dropped, or one more run missed. */
  readonly dropped?: number;
  readonly missed?: number;
  /** Until then records wait in the ring. */
  readonly behind?: number;
}

function* rows({
  steps,
  dropped = Number.POSITIVE_INFINITY,
  missed = Number.POSITIVE_INFINITY,
  behind = 0,
}: Course): Generator<EventBatch> {
  const fault = createBatch(steps.length, ['', 'waiter']);
  for (const [step, [kind, a]] of steps.entries()) {
    pushRow(fault, kind, 2e9 + 1e3 * step, a, 0, 0);
    fault.flags[step] = step === 0 ? VlStepFlag.INFO : 0;
    fault.step[step] = step;
    fault.tid[step] = 7;
    fault.tgid[step] = 7;
    fault.comm[step] = 1;
  }
  yield fault;
  for (let second = 0.5; second <= 12; second += 0.5) {
    const batch = createBatch(4, ['']);
    pushCounter(batch, (2 + second) * 1e9, CounterGroup.Kernel, VlCounter.VMA_OK, second);
    pushCounter(batch, (2 + second) * 1e9, CounterGroup.Dropped, 1, second >= dropped ? 1 : 0);
    pushCounter(batch, (2 + second) * 1e9, CounterGroup.Missed, 0, second >= missed ? 1 : 0);
    pushCounter(batch, (2 + second) * 1e9, CounterGroup.Self, 3, second < behind ? 4096 : 0);
    yield batch;
  }
}

/** What was said, with the time since the fault began in seconds. */
function judge(course: Course): string[] {
  const session = syntheticSession();
  const said: string[] = [];
  const rules = [
    rule({ when: 'stuck_seconds > 1' }, 'host'),
    rule({ when: 'stuck_seconds > 1', groupBy: 'process' }, 'process'),
  ];
  const watch = new AlertWatch(new Pipeline(session), new AlertEngine(rules), {
    stepNs: 5e8,
    onEvents: (events) => {
      for (const { rule: name, kind, time } of events) said.push(`${name} ${kind} ${(time - 2e9) / 1e9}`);
    },
  });
  for (const batch of rows(course)) watch.push(batch);
  watch.finish();
  return said;
}

describe('a fault in flight', () => {
  it('is stuck after the time that the rule gives it, whether it is seen to wait or not', () => {
    for (const steps of [WAITING, RUNNING])
      assert.deepEqual(judge({ steps }), ['host firing 1.5', 'process firing 1.5']);
  });

  it('is not said to be stuck where its end may have been among the records dropped', () => {
    for (const steps of [WAITING, RUNNING]) assert.deepEqual(judge({ steps, dropped: 0.5 }), []);
  });

  it('is over for the rule when a record is dropped later: it cannot be told any more', () => {
    assert.deepEqual(judge({ steps: WAITING, dropped: 6 }), [
      'host firing 1.5',
      'process firing 1.5',
      'host resolved 6',
      'process resolved 6',
    ]);
  });

  it('is not stuck as long as its end may wait in the ring', () => {
    assert.deepEqual(judge({ steps: WAITING, behind: 7 }), ['host firing 7', 'process firing 7']);
  });

  it('is stuck all the same when a run was missed, if it was seen to begin a wait', () => {
    assert.deepEqual(judge({ steps: WAITING, missed: 0.5 }), ['host firing 1.5', 'process firing 1.5']);
    assert.deepEqual(judge({ steps: RUNNING, missed: 0.5 }), []);
  });
});
