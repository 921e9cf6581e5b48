// SPDX-License-Identifier: MIT
/** The rules at the edges of a stream: lifecycles nested, cut off, too long, or not cleared by the counters yet. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Checker } from '../../src/core/check/checker.js';
import { MAX_STEPS } from '../../src/core/check/trace.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { VlKind, VlKindNames, VlStepFlag } from '../../src/schema/events.gen.js';
import { type Life, LifeWriter, PTE_DISK, sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { streamOf } from './check-streams.js';
import { brokenBy, check, ruleOf } from './checked.js';
import { FLAG, KERNEL_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

describe('lifecycles at the edges', () => {
  it('are told apart by kinds of a later version, too', () => {
    // 65 is no kind 1, which is a lookup: in the bits of 32 it was.
    const NEWER = 65;
    assert.ok(NEWER >= VlKindNames.length);
    const life = new LifeWriter(false)
      .swap(VMA_FLAGS)
      .add(NEWER)
      .add(NEWER + 30);
    const report = check(
      sessionOf('7.3'),
      streamOf([[life.add(VlKind.SWAP_EXIT).hmf(VMA_FLAGS, 0).life('newer', { pte: PTE_DISK })]], 1),
    );
    assert.deepEqual(report.lifecycles, { total: 1, incomplete: 0 });
    assert.equal(ruleOf(report, 28).held, 1);
  });

  it('are kept apart where a kernel-mode fault runs inside a user-mode one', () => {
    const outer = new LifeWriter(false).folioRetry(VMA_FLAGS, RET.VM_FAULT_MAJOR).lock().hmf(TRIED_FLAGS, 0);
    const inner = new LifeWriter(false).swapOk(KERNEL_FLAGS).hmf(KERNEL_FLAGS, 0);
    const batch = streamOf([[outer.life('outer', { pte: PTE_DISK })]], 1);
    const nested = streamOf([[inner.life('inner', { pte: PTE_DISK, depth: 1, looksUp: false })]], 1);
    const rows = (from: EventBatch, kernel: boolean): number[] =>
      [...from.kind.subarray(0, from.length).keys()].filter(
        (i) => (from.kind[i] as number) < UserKind.Counter === kernel,
      );
    const room = streamOf([Array.from({ length: 20 }, () => shapesOf('7.3')[0] as Life)], 1);
    room.length = 0;
    const copy = (from: EventBatch, i: number, fault: number): void => {
      const to = room.length++;
      for (const key of Object.keys(from) as (keyof EventBatch)[]) {
        const [target, source] = [room[key], from[key]];
        if (ArrayBuffer.isView(target) && ArrayBuffer.isView(source))
          (target as unknown as unknown[])[to] = (source as unknown as unknown[])[i];
      }
      if ((room.kind[to] as number) < UserKind.Counter) room.fault[to] = fault;
    };
    const [own, within] = [rows(batch, true), rows(nested, true)];
    for (const i of own.slice(0, 9)) copy(batch, i, 1);
    for (const i of within) copy(nested, i, 2);
    for (const i of own.slice(9)) copy(batch, i, 1);
    for (const i of rows(batch, false)) copy(batch, i, 0);
    const report = check(sessionOf('7.3'), room);
    assert.deepEqual(report.lifecycles, { total: 2, incomplete: 0 });
    assert.equal(ruleOf(report, 7).held, 1);
    assert.equal(ruleOf(report, 28).held, 2);
    assert.equal(report.rules.filter((rule) => rule.violated > 0).length, 0);
  });

  it('are set aside while they last, and when they have more steps than are kept', () => {
    const short = new LifeWriter(false).swap(VMA_FLAGS).life('in flight', { pte: PTE_DISK });
    const long = new LifeWriter(false).swap(VMA_FLAGS);
    for (let i = 0; i < MAX_STEPS; i++) long.add(VlKind.MM_INSIDE, 0, 1);
    const report = check(sessionOf('7.3'), streamOf([[long.hmf(VMA_FLAGS, 0).life('long'), short]], 1));
    assert.deepEqual(report.lifecycles, { total: 2, incomplete: 2 });
    assert.equal(report.rules.filter((rule) => rule.held > 0 && rule.rule !== 17).length, 0);
  });

  it('are no proof where the recording is cut off before the counters that would clear them', () => {
    const lives = [brokenBy(1)];
    assert.equal(ruleOf(check(sessionOf('7.3'), streamOf(lives, 1)), 1).violated, 1);
    const cut = check(sessionOf('7.3'), streamOf(lives, 1, { cutOff: true }));
    assert.equal(cut.ended, false);
    assert.equal(ruleOf(cut, 1).violated, 0);
    assert.equal(ruleOf(cut, 1).setAside, 1);
  });

  it('are suspected, not convicted, until two more readings of the counters are there', () => {
    const quiet = Array.from({ length: 300 }, () => shapesOf('7.3')[0] as Life);
    const batch = streamOf([[...brokenBy(1), ...quiet]], 1);
    const checker = new Checker(sessionOf('7.3'));
    const whole = batch.length;
    const half = { ...batch, length: 20 };
    checker.push(half);
    assert.equal(ruleOf(checker.report(), 1).violated, 0);
    checker.push({ ...batch, length: whole });
    assert.ok(ruleOf(checker.report(), 1).violated >= 1);
  });

  it('have the steps they were suspected for in the report, whatever came after them', () => {
    const others = Array.from({ length: 50 }, () => shapesOf('7.3')).flat();
    // Of rule 2 the fault before is part of it.
    for (const rule of [1, 2, 7]) {
      const alone = ruleOf(check(sessionOf('7.3'), streamOf([[...brokenBy(rule)]], 1)), rule).example;
      const then = ruleOf(check(sessionOf('7.3'), streamOf([[...brokenBy(rule), ...others]], 1)), rule).example;
      assert.ok(alone !== undefined && then !== undefined);
      const hooks = ({ steps, before }: typeof alone): unknown =>
        [...(before ?? []), ...steps].map(({ hook, words }) => [hook, words]);
      assert.deepEqual(hooks(then), hooks(alone));
    }
  });

  it('take RETRY_NOWAIT, TRIED and the like by the names the session brings', () => {
    // Another kernel's numbers: every flag one bit further up.
    const faultFlags = Object.fromEntries(Object.entries(FLAG).map(([name, bit]) => [name, bit * 2]));
    const session = sessionOf('7.3');
    const life = new LifeWriter(false).add(VlKind.HMF_EXIT, VMA_FLAGS * 2, 0, VlStepFlag.REGS).life('ordinary');
    const report = check({ ...session, enums: { ...session.enums, faultFlags } }, streamOf([[life]], 1));
    assert.equal(ruleOf(report, 1).held, 1);
  });
});
