// SPDX-License-Identifier: MIT
/**
 * What this kernel does by design where others do not, known by what happened and never by its version. Kernels that go
 * on under the VMA lock after a RETRY set TRIED for it; kernels that keep it over waits for folios always do.
 */
import { VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import type { Facts } from './facts.js';
import { callsOf, type Judged, POLICIES, type Policy, secondTry, signalPending } from './rule.js';

export class Policies {
  readonly #facts: Facts;
  #again = 0;
  #kept = 0;
  #dropped = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** A lifecycle that lacks no step. */
  learn(x: Judged): void {
    const { bits } = this.#facts;
    for (const attempt of x.shape.attempts) if (secondTry(x, attempt)) this.#again++;
    if (!x.trace.has(VlKind.FLOR_EXIT)) return;
    for (const [attempt, call] of callsOf(x, 'flor')) {
      const flags = x.steps[call.enter]?.[VlSharedArgs.flags] ?? 0;
      if (!(flags & bits.vmaLock) || flags & bits.tried) continue;
      const ret = x.steps[call.exit]?.[VlSharedArgs.ret] ?? 0;
      if (ret === 0) this.#kept++;
      // A fatal signal ends a wait that keeps the lock, too: then one is pending.
      else if (ret & bits.retry && !signalPending(x, attempt)) this.#dropped++;
    }
  }

  /** In words; '' when this kernel does not do so, as far as was seen. */
  why(policy: Policy): string {
    const seen = policy === 'retry-vma' ? this.#again > 0 : this.#kept > 0 && this.#dropped === 0;
    return seen ? POLICIES[policy] : '';
  }
}
