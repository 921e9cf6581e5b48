// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadRules } from '../../src/actions/rules.js';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import type { AlertEvent } from '../../src/core/alerts/event.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import { processRow, rule, snapshotAt, type Totals } from './helpers.js';

/** A snapshot a second; `perSecond` says what each second adds. */
function* course(
  seconds: number,
  perSecond: (second: number) => { success: number; retry: number },
): Generator<Totals & { second: number }> {
  let success = 0;
  let retry = 0;
  for (let second = 1; second <= seconds; second++) {
    const more = perSecond(second);
    success += more.success;
    retry += more.retry;
    yield { second, success, retry };
  }
}

const brief = ({ kind, rule: name, time, since }: AlertEvent): string =>
  `${time / 1e9} ${name} ${kind} since ${since / 1e9}`;

describe('the engine', () => {
  it('fires the default rule within its `for` and two intervals, clears it, and says nothing within the cooldown', async () => {
    const engine = new AlertEngine(await loadRules());
    const storm = (second: number): boolean => (second > 10 && second <= 20) || (second > 30 && second <= 50);
    const events: AlertEvent[] = [];
    for (const { second, ...totals } of course(140, (s) => ({ success: 5000, retry: storm(s) ? 2000 : 3 })))
      events.push(...engine.evaluate(snapshotAt(second, totals)));
    // The storm begins after second 10, is over after 20; the second one lies within the cooldown of 60 s.
    assert.deepEqual(events.map(brief), ['14 retry-fallbacks firing since 11', '24 retry-fallbacks resolved since 14']);
    assert.deepEqual(events[0]?.values, { retry_ratio: 2000 / 7000, retry_rate: 2000 });
    assert.equal(events[0]?.expression, 'retry_ratio > 0.05 && retry_rate > 100');
  });

  it('is over when a storm ends in silence, where no ratio is known any more', () => {
    const engine = new AlertEngine([rule({ when: 'retry_ratio > 0.5', clear: 'retry_ratio < 0.1' })]);
    assert.deepEqual(engine.evaluate(snapshotAt(1, { retry: 10 })).map(brief), ['1 rule firing since 1']);
    const [over] = engine.evaluate(snapshotAt(2, { retry: 10 }));
    assert.equal(over?.kind, 'resolved');
    assert.deepEqual(over?.values, { retry_ratio: null });
    assert.equal(over?.expression, 'retry_ratio < 0.1');
    assert.deepEqual(engine.status()[0]?.unknown, { retry_ratio: 'no attempt under a VMA lock' });
  });

  it('goes on where another stands: what stays keeps its state, what went is over', () => {
    // Compiled again each time, as when a file is read again.
    const stays = (): AlertRule => rule({ when: 'retry_rate > 100', cooldown: 60 }, 'stays');
    const old = new AlertEngine([
      stays(),
      rule({ when: 'retry_rate > 50' }, 'changes'),
      rule({ when: 'retry_rate > 10' }, 'goes'),
    ]);
    assert.equal(old.evaluate(snapshotAt(1, { retry: 500 })).length, 3);
    const next = new AlertEngine([rule({ when: 'retry_rate > 60' }, 'changes'), stays()]);
    assert.deepEqual(next.takeOver(old, 1e9).map(brief), ['1 changes resolved since 1', '1 goes resolved since 1']);
    // What is out stays out; the interval goes on where it was.
    assert.deepEqual(next.evaluate(snapshotAt(2, { retry: 1000 })).map(brief), ['2 changes firing since 2']);
    // After the end it rests, whichever process takes over meanwhile.
    assert.deepEqual(next.evaluate(snapshotAt(3, { retry: 1000 })).map(brief), [
      '3 changes resolved since 2',
      '3 stays resolved since 1',
    ]);
    const third = new AlertEngine([stays()]);
    assert.deepEqual(third.takeOver(next, 3e9), []);
    assert.deepEqual(third.evaluate(snapshotAt(4, { retry: 1500 })), []);
  });

  it('keeps an alert between its limits', () => {
    const engine = new AlertEngine([rule({ when: 'retry_rate > 100', clear: 'retry_rate < 50' })]);
    const kinds: string[] = [];
    let retry = 0;
    for (const [i, more] of [10, 200, 80, 60, 120, 70, 40, 80, 101].entries()) {
      retry += more;
      for (const { kind } of engine.evaluate(snapshotAt(i + 1, { retry }))) kinds.push(`${more} ${kind}`);
    }
    assert.deepEqual(kinds, ['200 firing', '40 resolved', '101 firing']);
  });

  it('begins with the session, or with a baseline; a snapshot that is not later changes nothing', () => {
    const rules = [rule({ when: 'retry_rate > 100' })];
    const now = snapshotAt(10, { retry: 5000 });
    assert.equal(new AlertEngine(rules).evaluate(now).length, 1);
    const engine = new AlertEngine(rules);
    engine.baseline(now);
    assert.deepEqual(engine.evaluate(now), []);
    assert.deepEqual(engine.evaluate(snapshotAt(9, { retry: 0 })), []);
    assert.deepEqual(engine.evaluate(snapshotAt(11, { retry: 5001 })), []);
    assert.equal(engine.evaluate(snapshotAt(12, { retry: 9000 })).length, 1);
  });

  it('takes no rate over less than two readings of the counters', () => {
    const engine = new AlertEngine([rule({ when: 'retry_rate > 100' })]);
    engine.evaluate(snapshotAt(1, { retry: 50 }));
    engine.evaluate(snapshotAt(2, { retry: 100 }));
    // 13 more in 10 ms: the reading of a quarter of a second.
    assert.deepEqual(engine.evaluate(snapshotAt(2.01, { retry: 113 })), []);
    assert.ok(Math.abs(Number(engine.status()[0]?.values.retry_rate) - 63 / 1.01) < 1e-9);
    for (let tenth = 1; tenth <= 20; tenth++) engine.evaluate(snapshotAt(2 + tenth / 10, { retry: 100 + 5 * tenth }));
    assert.ok(Math.abs(Number(engine.status()[0]?.values.retry_rate) - 50) < 1);
    const [fired] = engine.evaluate(snapshotAt(4.1, { retry: 1000 }));
    assert.ok(Number(fired?.values.retry_rate) > 1000);
  });

  it('knows violations only from who checks', () => {
    const engine = new AlertEngine([rule({ when: 'violations > 0' })]);
    assert.deepEqual(engine.evaluate(snapshotAt(1)), []);
    assert.deepEqual(engine.status()[0]?.unknown, { violations: 'nothing is checked here' });
    assert.deepEqual(engine.evaluate(snapshotAt(2), { violated: 0 }), []);
    assert.equal(engine.evaluate(snapshotAt(3), { violated: 2 })[0]?.values.violations, 2);
    assert.equal(engine.evaluate(snapshotAt(4), { violated: 2 })[0]?.kind, 'resolved');
  });
});

describe('rules with groups', () => {
  const perProcess = rule({ when: 'retry_rate > 100 && pid != 3', groupBy: 'process' });

  it('judge each group apart and name it', () => {
    const engine = new AlertEngine([perProcess]);
    const processes = [processRow(1, 500), processRow(2, 50), processRow(3, 500), processRow(4, 200)];
    const events = engine.evaluate(snapshotAt(1, { processes }));
    assert.deepEqual(
      events.map(({ group }) => group?.name),
      ['worker-1 (1)', 'worker-4 (4)'],
    );
    assert.deepEqual(
      engine.status().map(({ group, phase }) => [group?.key, phase]),
      [
        ['1', 'firing'],
        ['4', 'firing'],
      ],
    );
    assert.equal(engine.out, 2);
  });

  it('sum the processes of a cgroup', () => {
    const engine = new AlertEngine([rule({ when: 'retry_rate > 100', groupBy: 'cgroup' })]);
    const processes = [processRow(1, 60), processRow(2, 60), processRow(3, 60)];
    const [only, ...others] = engine.evaluate(snapshotAt(1, { processes }));
    assert.deepEqual(others, []);
    assert.deepEqual(only?.group, { by: 'cgroup', key: '1', name: '/half/1' });
    assert.deepEqual(only?.values, { retry_rate: 120 });
  });

  it('are over for a process that is gone, and forget it', () => {
    const engine = new AlertEngine([perProcess]);
    engine.evaluate(snapshotAt(1, { processes: [processRow(1, 500)] }));
    const [over] = engine.evaluate(snapshotAt(2, { processes: [] }));
    assert.equal(over?.kind, 'resolved');
    assert.equal(over?.group?.key, '1');
    // The rule is still there, with nobody it is about.
    assert.deepEqual(
      engine.status().map(({ group, phase, values }) => ({ group, phase, values })),
      [{ group: null, phase: 'inactive', values: {} }],
    );
  });

  it('do not take what a process did before it came into a full list for what it did now', () => {
    const engine = new AlertEngine([perProcess]);
    const full = Array.from({ length: 256 }, (_, i) => processRow(1000 + i, 10));
    engine.evaluate(snapshotAt(1, { processes: full }));
    assert.deepEqual(engine.evaluate(snapshotAt(2, { processes: [processRow(1, 5000), ...full.slice(1)] })), []);
    assert.deepEqual(
      engine
        .evaluate(snapshotAt(3, { processes: [processRow(1, 5200), ...full.slice(1)] }))
        .map(({ values }) => values),
      [{ retry_rate: 200, pid: 1 }],
    );
  });

  it('follow a bounded number, and count what they did not follow', () => {
    const engine = new AlertEngine([perProcess], { maxGroups: 3 });
    const all = (count: number, retries: number): Totals => ({
      processes: Array.from({ length: count }, (_, i) => processRow(10 + i, retries)),
    });
    assert.equal(engine.evaluate(snapshotAt(1, all(5, 500))).length, 3);
    assert.equal(engine.forgotten, 2);
    assert.equal(engine.status().length, 3);
  });

  it('fire for those they follow, though more are about to', () => {
    const engine = new AlertEngine([rule({ when: 'retry_rate > 100', groupBy: 'process', for: 2 })], { maxGroups: 3 });
    const fired: string[] = [];
    for (let second = 1; second <= 3; second++) {
      const processes = Array.from({ length: 8 }, (_, i) => processRow(10 + i, 500 * second));
      for (const { group } of engine.evaluate(snapshotAt(second, { processes }))) fired.push(group?.key ?? '');
    }
    assert.deepEqual(fired, ['10', '11', '12']);
    assert.equal(engine.forgotten, 15);
  });

  it('give up a group that rests for one that is about to fire', () => {
    const engine = new AlertEngine([rule({ when: 'retry_rate > 100', groupBy: 'process', cooldown: 3600 })], {
      maxGroups: 1,
    });
    engine.evaluate(snapshotAt(1, { processes: [processRow(1, 500)] }));
    engine.evaluate(snapshotAt(2, { processes: [processRow(1, 500)] }));
    assert.equal(engine.status()[0]?.phase, 'cooldown');
    const [fired] = engine.evaluate(snapshotAt(3, { processes: [processRow(1, 500), processRow(2, 500)] }));
    assert.equal(fired?.group?.key, '2');
    assert.equal(engine.forgotten, 1);
  });
});
