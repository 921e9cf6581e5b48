// SPDX-License-Identifier: MIT
/** How the results of the rules are printed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bitNames } from '../../src/core/check/describe.js';
import { checkText } from '../../src/core/check/text.js';
import { sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { streamOf } from './check-streams.js';
import { brokenBy, check, ruleOf } from './checked.js';
import { FLAG, RET, syntheticSession, VMA_FLAGS } from './session.js';

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
