// SPDX-License-Identifier: MIT
/** What the daemon follows: less while it is over budget, more again when it has been within it for long enough. */
import type { Figures } from '../core/aggregate/figures.js';
import type { Scope, SessionInfo } from '../core/events/session.js';
import { type Budget, Watchdog } from './watchdog.js';

export interface ScopeSource {
  /** Follows less from now on; null: there is no narrower scope. Absent: the scope is what it is. */
  lowerScope?(): Scope | null;
  /** Takes one such step back; null: there is none to take back. */
  raiseScope?(): Scope | null;
}

/** Windows within budget before the scope rises again: so many more each time that it had to fall. */
const CALM_WINDOWS = 6;
const MAX_CALM_WINDOWS = 360;

export class ScopeKeeper {
  readonly #source: ScopeSource & { readonly session: SessionInfo };
  readonly #watchdog: Watchdog;
  readonly #log: (line: string) => void;
  readonly #servingNs: () => number;
  #now: Scope;
  #lowered = 0;
  /** Windows within budget in a row, and how many it takes to raise the scope. */
  #calm = 0;
  #patience = CALM_WINDOWS / 2;
  #overBudget: string | null = null;
  /** ns of the session. */
  #nextAt: number;

  /** `servingNs`: CPU time that went into serving metrics, ns. */
  constructor(
    source: ScopeSource & { readonly session: SessionInfo },
    budget: Budget,
    log: (line: string) => void,
    servingNs: () => number = () => 0,
  ) {
    this.#source = source;
    this.#watchdog = new Watchdog(budget);
    this.#log = log;
    this.#servingNs = servingNs;
    this.#now = source.session.scope;
    // What starting costs is not what observing costs: the first window is let pass.
    this.#nextAt = budget.window * 1e9;
  }

  set budget(budget: Budget) {
    this.#watchdog.budget = budget;
  }

  /** What is followed now. */
  get now(): Scope {
    return this.#now;
  }

  /** Times less was followed to keep to the budget. */
  get lowered(): number {
    return this.#lowered;
  }

  /** In words, while there is nothing left to lower; null: within budget. */
  get overBudget(): string | null {
    return this.#overBudget;
  }

  /** To be called with every reading of the counters, `time` in ns of the session. Figures are asked for once a window. */
  check(time: number, figures: () => Figures): void {
    if (time >= this.#nextAt) this.#judge(figures());
  }

  #judge({ time, events, overhead }: Figures): void {
    this.#nextAt = time + this.#watchdog.budget.window * 1e9;
    const { selfCpuNs, selfRssBytes } = overhead;
    const over = this.#watchdog.check({
      time,
      dropped: events.dropped,
      cpuNs: selfCpuNs,
      rssBytes: selfRssBytes,
      servingNs: this.#servingNs(),
    });
    if (over === undefined) return;
    if (over === null) {
      this.#overBudget = null;
      this.#raise();
      return;
    }
    this.#calm = 0;
    const scope = this.#source.lowerScope?.() ?? null;
    if (scope !== null) {
      this.#now = scope;
      this.#lowered++;
      this.#patience = Math.min(this.#patience * 2, MAX_CALM_WINDOWS);
      this.#log(`scope lowered to ${scope}: ${over}`);
      return;
    }
    if (this.#overBudget === null) this.#log(`over budget, and no narrower scope than ${this.#now}: ${over}`);
    this.#overBudget = over;
  }

  /** What was over budget may be over: after enough windows within it the scope rises by a step. */
  #raise(): void {
    if (this.#now === this.#source.session.scope || ++this.#calm < this.#patience) return;
    this.#calm = 0;
    const scope = this.#source.raiseScope?.() ?? null;
    if (scope === null) return;
    this.#now = scope;
    this.#log(`scope raised to ${scope}: within budget for ${this.#patience * this.#watchdog.budget.window} s`);
  }
}
