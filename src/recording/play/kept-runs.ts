// SPDX-License-Identifier: MIT
/** Runs beside the one that is shown: a way back goes on from the nearest. Each is the memory of a whole pipeline. */
import type { Run } from './run.js';

const MAX_KEPT = 3;

export class KeptRuns {
  /** The least lately used first. */
  readonly #runs: Run[] = [];

  /** The one that has the shortest way to `target`, `other` too where there is one; null when all are behind it. */
  nearest(target: number, other: Run | null = null): Run | null {
    let best: Run | null = null;
    for (const run of other === null ? this.#runs : [...this.#runs, other])
      if (run.newest <= target && (best === null || run.newest >= best.newest)) best = run;
    return best;
  }

  /** Keeps `run` as the one used last, instead of `taken` where that was kept, or of the one used least lately. */
  async keep(run: Run, taken: Run = run): Promise<void> {
    const at = this.#runs.indexOf(taken);
    if (at !== -1) this.#runs.splice(at, 1);
    this.#runs.push(run);
    if (this.#runs.length > MAX_KEPT) await this.#runs.shift()?.close();
  }

  async close(): Promise<void> {
    for (const run of this.#runs) await run.close();
  }
}
