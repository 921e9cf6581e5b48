// SPDX-License-Identifier: MIT
/** The rules where a hook is wanting or runs are missed: none is held that was not seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RULES } from '../../src/core/check/rules.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { BREAKS, livesOf } from './check-breaks.js';
import { type Flavour, type Life, sessionOf } from './check-life.js';
import { hookOf, streamOf } from './check-streams.js';
import { check, ruleOf, run } from './checked.js';

describe('a stream that breaks a rule, half blind', () => {
  /** Hooks without which there is no session. */
  const REQUIRED = new Set(['handle_mm_fault', 'lock_mm_and_find_vma', 'do_swap_page', '__folio_lock_or_retry']);
  /** Without what a hook would have sent. */
  const blind = (lives: readonly Life[], hook: string): Life[] =>
    lives.map((life) => ({
      ...life,
      looksUp: hook === 'lock_vma_under_rcu' ? false : life.looksUp,
      steps: life.steps.filter(({ kind, a }) => hookOf(kind, a) !== hook),
    }));
  const without = (kernel: Flavour, hook: string): SessionInfo => {
    const session = sessionOf(kernel);
    const hooks = session.hooks.map((one) => ({ ...one, attached: one.attached && one.target !== hook }));
    return { ...session, hooks, ...(hook === 'up_read' && { release: 'derived' }) };
  };

  for (const broken of BREAKS) {
    for (const kernel of broken.flavours) {
      const rule = RULES.find(({ number }) => number === broken.rule);
      const hooks = new Set(
        [...(rule?.hooks ?? []), ...Object.values(rule?.sees ?? {}).flatMap((s) => s.hooks)].flat(),
      );
      for (const hook of hooks) {
        if (REQUIRED.has(hook)) continue;
        it(`does not hold rule ${broken.rule} without ${hook}: ${broken.name}, on ${kernel}`, () => {
          const lives = livesOf(broken, kernel);
          const whole = ruleOf(run(kernel, [lives], 1), broken.rule);
          const seen = ruleOf(check(without(kernel, hook), streamOf([blind(lives, hook)], 1)), broken.rule);
          assert.ok(seen.held <= whole.held, `held ${seen.held} times, and ${whole.held} with the hook`);
          if (seen.held === 0 && seen.violated === 0) {
            assert.equal(seen.result, 'not observable here');
            assert.notEqual(seen.why, '');
          }
        });
      }
      it(`does not hold rule ${broken.rule} when runs are missed: ${broken.name}, on ${kernel}`, () => {
        const lives = livesOf(broken, kernel);
        const whole = ruleOf(run(kernel, [lives], 1), broken.rule);
        for (let seed = 0; seed < 60; seed++) {
          const seen = ruleOf(run(kernel, [lives], seed, { missRate: 0.2 }), broken.rule);
          assert.ok(seen.held <= whole.held, `seed ${seed}: held ${seen.held} times, and ${whole.held} with every run`);
        }
      });
    }
  }
});
