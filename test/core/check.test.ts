// SPDX-License-Identifier: MIT
/** The rules: their numbers and words, a recording of a real kernel, what cannot be observed, and policies. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Checker } from '../../src/core/check/checker.js';
import { kernelVersion } from '../../src/core/check/facts.js';
import type { CheckReport } from '../../src/core/check/report.js';
import { docsRow, RULES } from '../../src/core/check/rules.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { type Life, LifeWriter, PTE_DISK, sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { streamOf } from './check-streams.js';
import { check, ruleOf } from './checked.js';
import { FLAG, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

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
