// SPDX-License-Identifier: MIT
/** Where the retries and aborts of each cause came from, by stack ids, where stacks were asked for. */

import { BoundedMap } from '../bounded/bounded-map.js';
import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import type { Cause } from '../vocabulary/causes.js';
import type { StackRow } from './snapshot-rows.js';

const MAX_ROWS = 4096;
export const MAX_STACK_ROWS = 64;
const NO_STACK = 0xffff_ffff;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class CauseStacks {
  readonly #rows: BoundedMap<string, Mutable<StackRow>> = new BoundedMap(MAX_ROWS, (row) => row.count);

  /** An attempt without a cause neither retried nor was refused: not counted here. */
  stack(attempt: AttemptRecord, kernel: number, user: number): void {
    const { cause } = attempt;
    if (cause === null || attempt.stackRow !== null) return;
    const k = kernel === NO_STACK ? -1 : kernel;
    const u = user === NO_STACK ? -1 : user;
    if (k >= 0 || u >= 0) this.#count(attempt, cause, k, u);
  }

  /** The fallback has changed the cause. */
  caused(attempt: AttemptRecord, cause: Cause): void {
    const row = attempt.stackRow as Mutable<StackRow> | null;
    if (row === null) return;
    row.count--;
    this.#count(attempt, cause, row.kernel, row.user);
  }

  rows(): StackRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.count > 0)
      .sort((x, y) => y.count - x.count || x.kernel - y.kernel || x.user - y.user)
      .slice(0, MAX_STACK_ROWS)
      .map((row) => ({ ...row }));
  }

  #count(attempt: AttemptRecord, cause: Cause, kernel: number, user: number): void {
    const key = `${cause} ${kernel} ${user}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = { cause, kernel, user, count: 0 };
      this.#rows.set(key, row);
    }
    row.count++;
    attempt.stackRow = row;
  }
}
