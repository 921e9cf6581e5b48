// SPDX-License-Identifier: MIT
/** Whatever runs are missed, a cause is the true one or unknown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { RETRY, vmaOf } from './by-hand.js';
import { coarserThan } from './coarser.js';
import { run } from './compare.js';
import { missed, type Realm, rowsOf, truthOf } from './missed-runs.js';
import { VMA_FLAGS } from './session.js';
import { synthesizeStream } from './synthetic.js';

const K = VlKind;

describe('whatever runs are missed', () => {
  const check = (life: Lifecycle, cause: string | null, verdict: string | null, what: string): void => {
    const vma = vmaOf(life);
    if (vma?.outcome !== 'retry' || cause === null) return;
    assert.ok(
      [cause, 'unknown', ...coarserThan(cause)].includes(vma.cause ?? ''),
      `${vma.cause}, not ${cause}: ${what}`,
    );
    const kind = vma.verdict?.kind ?? 'unknown';
    assert.ok(kind === verdict || kind === 'unknown', `${kind}, not ${verdict} (${cause}): ${what}`);
  };

  const isFallback = ({ kind }: { readonly kind: number }): boolean => kind === K.MM_LOCK_EXIT;
  const retriesAgain = ({ kind, a, b }: { readonly kind: number; readonly a: number; readonly b: number }): boolean =>
    kind === K.HMF_EXIT && a !== VMA_FLAGS && (b & RETRY) !== 0;
  it('the cause is the true one or unknown, and the verdict: made-up streams', () => {
    const stream = fc.record({
      seed: fc.integer(),
      faults: fc.integer({ min: 1, max: 120 }),
      missRate: fc.constantFrom(0.02, 0.1, 0.3, 0.6),
      dropRate: fc.constantFrom(0, 0.1),
      released: fc.boolean(),
    });
    fc.assert(
      fc.property(stream, ({ seed, faults, ...options }) => {
        const made = synthesizeStream(faults, seed, options);
        for (const life of run(made, false).closed) {
          const script = made.truths.get(life.id)?.script;
          if (script === undefined) continue;
          // A later try whose fallback is gone looks like a part of the first, and nothing is left to tell them by.
          const left = made.rows.filter((row) => isFallback(row) && row.faultCpu * 2 ** 32 + row.fault === life.id);
          const fallbacks = script.steps.filter(isFallback).length;
          if (!script.steps.some(retriesAgain) || left.length === fallbacks)
            check(life, script.cause, script.verdict, script.name);
        }
      }),
      { numRuns: 300 },
    );
  });

  const realms: Promise<Realm[]> = Promise.all(
    ['swap-7.3', 'mixed-7.3'].map((name) =>
      rowsOf(fileURLToPath(new URL(`../../../test/golden/${name}.vmlt`, import.meta.url))),
    ),
  );
  it('the cause is the true one or unknown, and the verdict: real recordings', async () => {
    for (const realm of await realms) {
      const truth = truthOf(realm);
      const kinds = fc.subarray([...realm.kinds], { minLength: 1 });
      fc.assert(
        fc.property(kinds, fc.double({ min: 0.05, max: 1, noNaN: true }), fc.integer(), (which, rate, seed) => {
          const { closed } = missed(realm, new Set(which), rate, seed);
          for (const life of closed) {
            const was = truth.get(life.id);
            if (was !== undefined) check(life, was.cause, was.verdict, `${life.id} without ${which} at ${rate}`);
          }
        }),
        { numRuns: 8 },
      );
    }
  });
});
