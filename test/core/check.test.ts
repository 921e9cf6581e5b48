// SPDX-License-Identifier: MIT
/** The results of the rules over a recording of a real kernel and at the edges of a stream, and how they are printed. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Checker } from '../../src/core/check/checker.js';
import { bitNames } from '../../src/core/check/describe.js';
import { kernelVersion } from '../../src/core/check/facts.js';
import type { CheckReport, RuleResult } from '../../src/core/check/report.js';
import { docsRow, RULES } from '../../src/core/check/rules.js';
import { checkText } from '../../src/core/check/text.js';
import { MAX_STEPS } from '../../src/core/check/trace.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlKind, VlKindNames, VlStepFlag } from '../../src/schema/events.gen.js';
import { BREAKS, livesOf } from './check-breaks.js';
import { type Life, LifeWriter, PTE_DISK, sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { streamOf } from './check-streams.js';
import { FLAG, KERNEL_FLAGS, RET, syntheticSession, TRIED_FLAGS, VMA_FLAGS } from './session.js';

function check(session: SessionInfo, ...batches: readonly EventBatch[]): CheckReport {
  const checker = new Checker(session);
  for (const batch of batches) checker.push(batch);
  checker.finish();
  return checker.report();
}

function ruleOf(report: CheckReport, number: number): RuleResult {
  const found = report.rules.find((rule) => rule.rule === number);
  assert.ok(found !== undefined);
  return found;
}

function brokenBy(rule: number): readonly Life[] {
  const broken = BREAKS.find((one) => one.rule === rule);
  assert.ok(broken !== undefined);
  return livesOf(broken, '7.3');
}

describe('the rules', () => {
  it('are 28, by number', () => {
    assert.deepEqual(
      RULES.map((rule) => rule.number),
      Array.from({ length: 28 }, (_, i) => i + 1),
    );
  });

  it('are in the docs in the same words', async () => {
    const text = await readFile(fileURLToPath(new URL('../../../docs/check.md', import.meta.url)), 'utf8');
    for (const rule of RULES)
      assert.ok(text.includes(`${docsRow(rule)}\n`), `rule ${rule.number}, as it should be: ${docsRow(rule)}`);
  });

  it('read a kernel by its release', () => {
    assert.deepEqual(['6.12.95+deb13-amd64', '7.3', '6.4.0-rc1', 'unknown'].map(kernelVersion), [6012, 7003, 6004, 0]);
  });
});

describe('a recording of 7.3.4 under swap', () => {
  it('violates nothing, and shows what its hooks can', async () => {
    const path = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
    const source = await openFile(path);
    const checker = new Checker(source.session);
    for await (const batch of source.batches()) checker.push(batch);
    await source.close();
    checker.finish();
    const report = checker.report();
    assert.deepEqual(
      report.rules.filter((rule) => rule.result === 'held').map((rule) => rule.rule),
      [1, 3, 4, 6, 7, 13, 14, 17, 26, 28],
    );
    assert.equal(report.rules.filter((rule) => rule.violated > 0).length, 0);
    assert.equal(report.ended, true);
    assert.equal(report.events.emitted, report.events.decoded + report.events.dropped);
    assert.equal(ruleOf(report, 1).held, 5857);
    assert.match(ruleOf(report, 2).why, /not hooked: lock_vma_under_rcu \(left out/);
    assert.match(ruleOf(report, 20).why, /derived here, not seen/);
    // Nothing returned but RETRY; whether the lock was given back in it, a derived release cannot say.
    assert.equal(ruleOf(report, 9).unseen, 3075);
    assert.match(ruleOf(report, 9).why, /derived here, not seen/);
    assert.match(ruleOf(report, 18).why, /./);
    // Runs of handle_mm_fault's program were missed: those lifecycles are no evidence.
    assert.equal(report.events.missed, 73);
    assert.equal(report.lifecycles.incomplete, 50);
    assert.equal(ruleOf(report, 13).setAside, 19);
  });
});

describe('what is not observable', () => {
  const stream = (): EventBatch => streamOf([[...shapesOf('7.3'), ...shapesOf('7.3')]], 1);

  it('says which hook is wanting, and why', () => {
    const session = sessionOf('7.3');
    const hooks = session.hooks.map((hook) =>
      hook.target === 'mmap_lock_released' ? { ...hook, attached: false, note: 'left out' } : hook,
    );
    const rule = ruleOf(check({ ...session, hooks }, stream()), 21);
    assert.equal(rule.result, 'not observable here');
    assert.equal(rule.why, 'not hooked: mmap_lock_released (left out)');
  });

  it('says which scope, which kernels, and which way of knowing releases it takes', () => {
    const why = (number: number, changes: Partial<SessionInfo>): string =>
      ruleOf(check(sessionOf('7.3', changes), stream()), number).why;
    assert.equal(why(5, { scope: 'retry' }), 'it needs scope all');
    assert.equal(why(16, {}), 'it holds on kernels from 6.4 to 6.5');
    assert.equal(why(1, { kernel: '6.1.0' }), 'it holds on kernels from 6.4 on');
    assert.match(why(20, { kernel: '6.12.4' }), /derived here, not seen/);
    assert.match(why(27, {}), /inline/);
  });

  it('says what did not occur', () => {
    const report = check(sessionOf('7.3'), streamOf([[shapesOf('7.3')[0] as Life]], 1));
    assert.equal(ruleOf(report, 19).why, 'no COMPLETED was seen');
    assert.equal(ruleOf(report, 25).why, 'no swap device whose block device says what it is was seen');
  });

  it('judges no swap device where block devices do not say what they are', () => {
    const devices = [[0, 3, 1]] as const;
    const report = check(sessionOf('6.5'), streamOf([], 1, { devices }));
    assert.equal(ruleOf(report, 25).result, 'not observable here');
  });

  it('says nothing of flags a session does not name', () => {
    const session = sessionOf('7.3', { enums: { faultFlags: {}, faultReasons: RET } });
    assert.equal(ruleOf(check(session), 17).result, 'not observable here');
  });
});

describe('a kernel with a policy of its own', () => {
  const SECOND = VMA_FLAGS | FLAG.FAULT_FLAG_TRIED;
  const writer = (): LifeWriter => new LifeWriter(true);
  const broken = (report: CheckReport): number[] => report.rules.filter((rule) => rule.violated > 0).map((r) => r.rule);
  const found = (report: CheckReport): Record<string, number> =>
    Object.fromEntries(report.findings.map(({ what, count }) => [what, count]));

  it('may retry under the VMA lock with TRIED, and fall back from there', () => {
    const lives = [
      writer().folioRetry(VMA_FLAGS, 0).swapOk(SECOND).hmf(SECOND, 0).life('second try', { pte: PTE_DISK }),
      writer().folioRetry(VMA_FLAGS, 0).lock().hmf(TRIED_FLAGS, 0).life('second lookup failed', { pte: PTE_DISK }),
      writer()
        .folioRetry(VMA_FLAGS, 0)
        .hmf(SECOND, RET.VM_FAULT_RETRY)
        .lock()
        .hmf(TRIED_FLAGS, 0)
        .life('both', { pte: PTE_DISK }),
    ];
    const report = check(sessionOf('6.12'), streamOf([lives], 1));
    assert.deepEqual(broken(report), []);
    assert.equal(found(report)['second tries under the VMA lock after its RETRY'], 2);
    assert.match(ruleOf(report, 7).why, /tries once more under the VMA lock/);
    // A kernel that shows no second try has no such policy.
    assert.deepEqual(broken(check(sessionOf('6.12'), streamOf([lives.slice(1, 2)], 1))), [7]);
  });

  it('may keep the VMA lock over every wait for a folio, and not over some', () => {
    const keeps = (): Life => {
      const w = writer().swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_SLEEP);
      return w.add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT).hmf(VMA_FLAGS, 0).life('keeps', { pte: PTE_DISK });
    };
    const report = check(sessionOf('6.12'), streamOf([[keeps(), keeps()]], 1));
    assert.deepEqual(broken(report), []);
    for (const number of [13, 23]) {
      const rule = ruleOf(report, number);
      assert.equal(rule.result, 'not observable here');
      assert.match(rule.why, /waits for folios with the VMA lock held/);
    }
    assert.equal(found(report)['waits for a folio that kept the VMA lock'], 2);
    const usual = shapesOf('6.12').filter(({ name }) => name === 'own read');
    assert.deepEqual(broken(check(sessionOf('6.12'), streamOf([[keeps()], usual], 1))), [13, 23]);
  });
});

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

  it('take RETRY_NOWAIT, TRIED and the like by the names the session brings', () => {
    // Another kernel's numbers: every flag one bit further up.
    const faultFlags = Object.fromEntries(Object.entries(FLAG).map(([name, bit]) => [name, bit * 2]));
    const session = sessionOf('7.3');
    const life = new LifeWriter(false).add(VlKind.HMF_EXIT, VMA_FLAGS * 2, 0, VlStepFlag.REGS).life('ordinary');
    const report = check({ ...session, enums: { ...session.enums, faultFlags } }, streamOf([[life]], 1));
    assert.equal(ruleOf(report, 1).held, 1);
  });
});

describe('in words', () => {
  it('flags and results have names, and what has none is a number', () => {
    assert.equal(bitNames(VMA_FLAGS, FLAG, 'FAULT_FLAG_'), 'ALLOW_RETRY|KILLABLE|USER|INTERRUPTIBLE|VMA_LOCK');
    assert.equal(bitNames(0x404, RET, 'VM_FAULT_'), 'MAJOR|RETRY');
    assert.equal(bitNames(0x80000004, RET, 'VM_FAULT_'), 'MAJOR|0x80000000');
    assert.equal(bitNames(0, RET), '0');
  });

  it('a violation is printed with its lifecycle step by step, the step that shows it marked', () => {
    // Beside a wait that drops the lock, one that keeps it is no policy of this kernel.
    const usual = shapesOf('7.3').filter(({ name }) => name === 'own read');
    const report = check(sessionOf('7.3'), streamOf([brokenBy(13), usual], 1));
    const text = checkText(report, 'host', ['a remark']);
    assert.match(text, / 13 {2}VIOLATED once/);
    assert.match(text, /Rule 13 violated: __folio_lock_or_retry returned 0 under the VMA lock/);
    assert.match(text, / {4} +0\.000 {2}do_swap_page +entered, flags .*VMA_LOCK/);
    assert.match(text, / {2}> +\d+\.\d{3} {2}__folio_lock_or_retry +returned 0\n/);
    assert.match(text, /get_swap_device +returned device 0, flags 0x3/);
    assert.match(text, /a remark/);
    const example = ruleOf(report, 13).example;
    assert.equal(example?.steps[example.at]?.hook, '__folio_lock_or_retry');
    assert.match(example?.address ?? '', /^0x7f/);
  });

  it('the fault before is printed where it is part of the evidence', () => {
    const report = check(sessionOf('7.3'), streamOf([brokenBy(5)], 1));
    assert.equal(ruleOf(report, 5).example?.before?.length, 1);
    assert.match(checkText(report, 'host'), /the fault before it:\n.*handle_mm_fault.*\n {2}and this one:/);
  });

  it('what a task calls itself does not reach the terminal as it is', () => {
    const batch = streamOf([brokenBy(1)], 1);
    const report = check(sessionOf('7.3'), { ...batch, strings: ['', '\u001b[31mred'] });
    const text = checkText(report, '\u001b]0;title\u0007');
    for (const control of ['\u001b', '\u0007']) assert.ok(!text.includes(control));
    assert.match(text, /red/);
  });

  it('claims are counted, and never violated', () => {
    const report = check(sessionOf('7.3'), streamOf([[...shapesOf('7.3')]], 1));
    assert.equal(ruleOf(report, 24).result, 'finding');
    const counts = Object.fromEntries(report.findings.map(({ what, count }) => [what, count]));
    assert.equal(counts['synchronous swap-ins under the VMA lock'], 1);
    assert.equal(counts['synchronous swap-ins under the VMA lock that reclaimed memory first'], 1);
    assert.equal(counts['mmap_lock tried under the VMA lock by reclaim'], 1);
    assert.equal(ruleOf(report, 22).violated, 0);
    assert.match(checkText(report, 'host'), /1 {2}mmap_lock tried under the VMA lock by reclaim \(22\)/);
  });

  it('an empty session has no violation and says of each rule why nothing was seen', () => {
    const report = check(syntheticSession({ hooks: [] }));
    for (const rule of report.rules)
      assert.ok(rule.result === 'finding' || rule.rule === 17 || rule.why !== '', `rule ${rule.rule}`);
  });
});
