// SPDX-License-Identifier: MIT
/** The phases of an alert, tested against what the rule promises, over any course of events. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AlertEvent } from '../../src/core/alerts/event.js';
import { advance, newState, type Signals, TRANSITIONS } from '../../src/core/alerts/states.js';
import { rule } from './helpers.js';

const SIGNALS: Readonly<Record<'active' | 'quiet' | 'between', Signals>> = {
  active: { active: true, quiet: false },
  quiet: { active: false, quiet: true },
  between: { active: false, quiet: false },
};

interface Look {
  readonly time: number;
  readonly signal: keyof typeof SIGNALS;
}

const looks = fc
  .array(fc.record({ dt: fc.integer({ min: 1, max: 4 }), signal: fc.constantFrom('active', 'quiet', 'between') }), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps): Look[] => {
    let time = 0;
    return steps.map(({ dt, signal }) => {
      time += dt * 1e9;
      return { time, signal: signal as Look['signal'] };
    });
  });
const durations = fc.record({ for: fc.nat(6), clearFor: fc.nat(6), cooldown: fc.nat(10) });
type Durations = { readonly for: number; readonly clearFor: number; readonly cooldown: number };

interface Said {
  readonly kind: AlertEvent['kind'];
  readonly at: number;
}

function play(course: readonly Look[], lasts: Durations): Said[] {
  const subject = rule({ when: 'retry_rate > 1', ...lasts });
  const state = newState();
  const said: Said[] = [];
  course.forEach(({ time, signal }, at) => {
    const kind = advance(state, subject, SIGNALS[signal], time);
    if (kind !== null) said.push({ kind, at });
  });
  return said;
}

/** Whether `holds` was so at every look of [time - ns, time], and one of them is that old. */
function lasted(course: readonly Look[], at: number, ns: number, holds: (look: Look) => boolean): boolean {
  const end = course[at] as Look;
  for (let i = at; i >= 0; i--) {
    const look = course[i] as Look;
    if (!holds(look)) return false;
    if (end.time - look.time >= ns) return true;
  }
  return false;
}

const isActive = ({ signal }: Look): boolean => signal === 'active';
const isQuiet = ({ signal }: Look): boolean => signal === 'quiet';

describe('the phases of an alert', () => {
  it('fire and are over in turns, beginning with fire', () => {
    fc.assert(
      fc.property(looks, durations, (course, lasts) => {
        const said = play(course, lasts);
        for (const [i, { kind }] of said.entries()) assert.equal(kind, i % 2 === 0 ? 'firing' : 'resolved');
      }),
      { numRuns: 500 },
    );
  });

  it('fire only after the condition held for as long as asked, and are over only after it was quiet as long', () => {
    fc.assert(
      fc.property(looks, durations, (course, lasts) => {
        for (const { kind, at } of play(course, lasts)) {
          if (kind === 'firing') assert.ok(lasted(course, at, lasts.for * 1e9, isActive));
          else assert.ok(lasted(course, at, lasts.clearFor * 1e9, isQuiet));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('never fire again within the cooldown', () => {
    fc.assert(
      fc.property(looks, durations, (course, lasts) => {
        const said = play(course, lasts);
        for (let i = 1; i < said.length; i++) {
          const [before, now] = [said[i - 1] as Said, said[i] as Said];
          if (now.kind !== 'firing') continue;
          const gap = (course[now.at] as Look).time - (course[before.at] as Look).time;
          assert.ok(gap >= lasts.cooldown * 1e9, `${gap} ns after ${lasts.cooldown} s`);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('fire at the first look at which the condition has held long enough, when no alert was out before', () => {
    fc.assert(
      fc.property(looks, durations, (course, lasts) => {
        const first = course.findIndex((_, at) => lasted(course, at, lasts.for * 1e9, isActive));
        assert.equal(play(course, lasts)[0]?.at ?? -1, first);
      }),
      { numRuns: 500 },
    );
  });

  it('do not depend on when time began', () => {
    fc.assert(
      fc.property(looks, durations, fc.nat(1e6), (course, lasts, shift) => {
        const later = course.map(({ time, signal }) => ({ time: time + shift * 1e9, signal }));
        assert.deepEqual(play(later, lasts), play(course, lasts));
      }),
    );
  });

  it('are all reached by the table, and left', () => {
    const reached = new Set(Object.values(TRANSITIONS).flatMap((lines) => lines.map(({ to }) => to)));
    assert.deepEqual([...reached].sort(), Object.keys(TRANSITIONS).sort());
    for (const lines of Object.values(TRANSITIONS)) assert.ok(lines.length > 0);
  });
});
