// SPDX-License-Identifier: MIT
/** Alert rules as the dashboard judges them: on each snapshot, and from the beginning once more after a jump. */
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import { type AlertEvent, alertText } from '../../src/core/alerts/event.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import type { ViewState } from '../../src/core/view/state.js';

export class DashboardAlerts {
  #rules: readonly AlertRule[] | null = null;
  #engine: AlertEngine | null = null;

  watch(rules: readonly AlertRule[]): void {
    this.#rules = rules;
    this.#engine = new AlertEngine(rules);
  }

  /** What was seen so far is no earlier state of what comes. */
  restart(): void {
    if (this.#rules !== null) this.#engine = new AlertEngine(this.#rules);
  }

  /** How each rule stands, and what fired first of what fired now, in words; null while none are watched. */
  judge(snapshot: Snapshot): { readonly status: ViewState['alerts']; readonly fired: string | null } | null {
    if (this.#engine === null) return null;
    const events: readonly AlertEvent[] = this.#engine.evaluate(snapshot);
    const first = events.find(({ kind }) => kind === 'firing');
    return { status: this.#engine.status(), fired: first === undefined ? null : alertText(first) };
  }
}
