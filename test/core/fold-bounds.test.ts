// SPDX-License-Identifier: MIT
/** Faults that go on and on: what is kept of one is bounded, and what is counted is not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Collector, key } from '../../src/core/aggregate/series/collector.js';
import { type Attempt, type Lifecycle, MOST_KEPT } from '../../src/core/lifecycle/lifecycle.js';
import { MOST_LOST } from '../../src/core/lifecycle/record.js';
import { retriesOf, triesOf, waited } from '../../src/core/present/lifecycle.js';
import { verdictOf } from '../../src/core/verdict/outcome.js';
import { detailLines } from '../../src/core/view/waterfall.js';
import { slicesOf } from '../../src/export/perfetto/slices.js';
import { attemptRows } from '../../src/export/tables/attempts.js';
import { waitRows } from '../../src/export/tables/waits.js';
import { VlKind, VlWait } from '../../src/schema/events.gen.js';
import { FALLBACK, FOLIO, fault, LOCK, only, run, type Step } from './by-hand.js';
import { MMAP_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const TIMES = 1000;
/** Of each wait of a folio in FOLIO, and of each for mmap_lock in LOCK and FALLBACK. */
const FOLIO_NS = 200;
const LOCK_NS = 100;
const WAITS = ['folio', 'mmapLock'] as const;

function times(steps: readonly Step[], n: number = TIMES): Step[] {
  return Array.from({ length: n }, () => steps).flat();
}

describe('a fault that goes on and on', () => {
  const again = FOLIO.map(([kind, a = 0, b = 0]): Step => [kind, a === VMA_FLAGS ? MMAP_FLAGS : a, b]);
  const looping = fault([...FOLIO, ...times([...LOCK, ...again]), ...FALLBACK], { range: [0x7000, 0x9000] });

  it('keeps its first attempts and waits and its latest, and how many there were', () => {
    const life = only(looping);
    assert.deepEqual([life.how, triesOf(life), retriesOf(life)], ['ok-mmap', TIMES + 2, TIMES + 1]);
    assert.deepEqual([life.attempts.length, life.waits.length], [MOST_KEPT, MOST_KEPT]);
    assert.deepEqual(life.leftOut, {
      attempts: TIMES + 2 - MOST_KEPT,
      retries: TIMES + 2 - MOST_KEPT,
      waits: 2 * TIMES + 2 - MOST_KEPT,
      waited: new Map([
        ['folio', { count: TIMES + 1 - MOST_KEPT / 2, ns: (TIMES + 1 - MOST_KEPT / 2) * FOLIO_NS }],
        ['mmapLock', { count: TIMES + 1 - MOST_KEPT / 2, ns: (TIMES + 1 - MOST_KEPT / 2) * LOCK_NS }],
      ]),
    });
    assert.deepEqual(life.lost, ['waits in its middle not kept', 'attempts in its middle not kept']);
    assert.deepEqual([life.attempts[0]?.lock, life.attempts.at(-1)?.outcome], ['vma', 'ok']);
    const starts = life.attempts.map(({ acquired }) => acquired.hi);
    const pause = (starts[2] as number) - (starts[1] as number);
    const steps = starts.slice(1).map((start, i) => start - (starts[i] as number));
    assert.equal(steps.filter((step) => step > pause).length, 1, 'one place where some are missing');
    assert.equal(
      steps.findIndex((step) => step > pause),
      MOST_KEPT / 2 - 1,
    );
  });

  it('has the length of all its waits, and so have its VMA and the session', () => {
    const { closed, snapshot } = run(looping);
    const [life] = closed as [Lifecycle];
    assert.deepEqual(
      WAITS.map((kind) => waited(life, kind, 0)),
      [(TIMES + 1) * FOLIO_NS, (TIMES + 1) * LOCK_NS],
    );
    assert.deepEqual(
      snapshot.vmas.map((row) => [row.folioWaitNs, row.mmapWaitNs]),
      [[(TIMES + 1) * FOLIO_NS, (TIMES + 1) * LOCK_NS]],
    );
    const collector = new Collector();
    collector.lifecycle(life);
    const cell = collector.series.at(life.end);
    assert.deepEqual(
      [key.waits('folio'), key.waitNs('folio'), key.waits('mmapLock')].map((sum) => cell.get(sum)),
      [TIMES + 1, (TIMES + 1) * FOLIO_NS, TIMES + 1],
    );
    assert.equal(verdictOf(life, life.attempts[0] as Attempt, true).queued, null);
    assert.deepEqual([snapshot.waits.folio.count, snapshot.waits.mmapLock.count], [TIMES + 1, TIMES + 1]);
    assert.equal(snapshot.retry.total, 1);
  });

  it('is shown with the numbers its attempts have, and each for as long as it had its lock', () => {
    const life = only(looping);
    const [last, half] = [TIMES + 1, MOST_KEPT / 2];
    assert.deepEqual(
      attemptRows(life).map(({ n }) => n),
      life.attempts.map((_, i) => (i < half ? i : last - MOST_KEPT + 1 + i)),
    );
    assert.equal(waitRows(life).at(-1)?.n, 2 * TIMES + 1);
    const text = detailLines(life, 0, 100).map((line) => line.map((part) => part.text).join(''));
    assert.ok(
      text.includes('Attempts  the first and the last of 1002'),
      text.find((line) => /^Attempts/.test(line)),
    );
    assert.ok(text.some((line) => line.startsWith(`${last + 1}. under mmap_lock`)));
    const { work } = slicesOf(life, life.last, 'x64', () => 0n);
    const attempts = work.filter(({ name }) => /^(VMA lock|mmap_lock)/.test(name));
    const lengths = attempts.map(({ start, end }) => end - start);
    assert.equal(attempts.length, MOST_KEPT);
    assert.ok(
      Math.max(...lengths) < (life.last - life.first) / 100,
      `${Math.max(...lengths)} of ${life.last - life.first}`,
    );
  });

  it('counts every wait of an attempt whose lock shows only when it is over', () => {
    const reclaim: Step[] = [
      [K.WAIT_ENTER, VlWait.RECLAIM],
      [K.WAIT_EXIT, VlWait.RECLAIM],
    ];
    const { closed, snapshot } = run(fault([...times(reclaim), [K.HMF_EXIT, VMA_FLAGS]]));
    assert.deepEqual([closed[0]?.waits.length, snapshot.waits.reclaim.count], [MOST_KEPT, TIMES]);
    assert.deepEqual([closed[0]?.waits[0]?.held, closed[0]?.waits.at(-1)?.held], ['unknown', 'vma']);
  });

  it('counts a wait that is left out while it lasts, when it ends', () => {
    const inside: Step[] = [
      [K.WAIT_ENTER, VlWait.RECLAIM],
      [K.WAIT_EXIT, VlWait.RECLAIM],
    ];
    const before = times(inside, MOST_KEPT / 2);
    const steps: Step[] = [...before, [K.WAIT_ENTER, VlWait.SWAPIN], ...times(inside, MOST_KEPT)];
    const { closed, snapshot } = run(
      fault([
        [K.SWAP_ENTER, VMA_FLAGS],
        ...steps,
        [K.WAIT_EXIT, VlWait.SWAPIN],
        [K.SWAP_EXIT],
        [K.HMF_EXIT, VMA_FLAGS],
      ]),
    );
    assert.equal(closed[0]?.how, 'ok-vma');
    assert.ok(closed[0]?.waits.every(({ kind }) => kind === 'reclaim'));
    assert.deepEqual([snapshot.waits.swapin.count, snapshot.waits.reclaim.count], [1, 1.5 * MOST_KEPT]);
  });

  it('names so many losses', () => {
    const every = fault([...FOLIO, ...times([...LOCK, ...again], 100), ...FALLBACK]);
    const { lost } = only(every.filter(({ step }) => step % 7 !== 3));
    assert.deepEqual([lost.length, lost.at(-1)], [MOST_LOST + 1, 'and more']);
  });
});
