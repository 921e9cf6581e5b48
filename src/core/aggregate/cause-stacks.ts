// SPDX-License-Identifier: MIT
/** Where the retries and aborts of each cause came from, by stack ids, where stacks were asked for. */

import { BoundedMap } from '../bounded/bounded-map.js';
import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import type { Cause } from '../vocabulary/causes.js';
import type { StackRow } from './snapshot-rows.js';

const MAX_ROWS = 4096;
const MAX_STACK_ROWS = 64;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class CauseStacks {
  readonly #rows: BoundedMap<string, Mutable<StackRow>> = new BoundedMap(MAX_ROWS, (row) => row.count);

  /**
   * Once its stack and its cause are both known: a stack taken where the RETRY comes from (__folio_lock_or_retry,
   * handle_userfault) is there before handle_mm_fault has returned it. An attempt without a cause neither retried nor
   * was refused: not counted.
   */
  count(attempt: AttemptRecord): void {
    const { cause, kernelStack, userStack } = attempt;
    if (cause === null || attempt.stackRow !== null || (kernelStack < 0 && userStack < 0)) return;
    this.#add(attempt, cause, kernelStack, userStack);
  }

  /** The fallback has changed the cause. */
  caused(attempt: AttemptRecord, cause: Cause): void {
    const row = attempt.stackRow as Mutable<StackRow> | null;
    if (row === null) return;
    row.count--;
    this.#add(attempt, cause, row.kernel, row.user);
  }

  rows(): StackRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.count > 0)
      .sort((x, y) => y.count - x.count || x.kernel - y.kernel || x.user - y.user)
      .slice(0, MAX_STACK_ROWS)
      .map((row) => ({ ...row }));
  }

  #add(attempt: AttemptRecord, cause: Cause, kernel: number, user: number): void {
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
