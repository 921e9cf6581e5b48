// SPDX-License-Identifier: MIT
/** Holds the daemon to its budget: says when less has to be observed, and why. Pure; the caller acts. */

export interface Budget {
  /** Of one CPU; 0: no limit. */
  readonly cpuPercent: number;
  /** Bytes; 0: no limit. */
  readonly memory: number;
  readonly drops: boolean;
  /** Seconds. */
  readonly window: number;
}

/** Cumulative, as a snapshot has them. */
export interface Usage {
  /** ns since the session's base. */
  readonly time: number;
  readonly dropped: number;
  readonly cpuNs: number;
  readonly rssBytes: number;
  /** Of `cpuNs`, what requests for metrics took: that is no cost of observing, and following less would not lessen it. */
  readonly servingNs?: number;
}

export class Watchdog {
  budget: Budget;
  #start: Usage | null = null;

  constructor(budget: Budget) {
    this.budget = budget;
  }

  /**
   * To be asked about once a second. When a window has just passed: what was over budget in it, in words, or null for
   * nothing; undefined while it goes on.
   */
  check(now: Usage): string | null | undefined {
    const start = this.#start;
    if (start === null) {
      this.#start = now;
      return undefined;
    }
    const seconds = (now.time - start.time) / 1e9;
    if (seconds < this.budget.window) return undefined;
    this.#start = now;
    return overBudget(this.budget, start, now, seconds);
  }
}

function used({ cpuNs, servingNs = 0 }: Usage): number {
  return cpuNs - servingNs;
}

function overBudget(budget: Budget, start: Usage, now: Usage, seconds: number): string | null {
  const over = `${Math.round(seconds)} s`;
  const lost = now.dropped - start.dropped;
  if (budget.drops && lost > 0) return `the ring dropped ${lost} records in ${over}`;
  const percent = (Math.max(0, used(now) - used(start)) / 1e9 / seconds) * 100;
  if (budget.cpuPercent > 0 && percent > budget.cpuPercent)
    return `${percent.toFixed(1)} % of a CPU over ${over}, budget ${budget.cpuPercent} %`;
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  if (budget.memory > 0 && now.rssBytes > budget.memory)
    return `${mib(now.rssBytes)} resident, budget ${mib(budget.memory)}`;
  return null;
}
