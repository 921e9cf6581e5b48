// SPDX-License-Identifier: MIT
/** What the fold remembers of each task between its steps. */
import type { AttemptRecord } from './attempt-record.js';
import type { FaultRecord } from './record.js';
import type { RecordPool } from './record-pool.js';

/**
 * Tasks remembered besides those with a fault open; idle ones go, longest known first. Each may keep an attempt, so this
 * is memory: some 25 MB.
 */
const MAX_TASKS = 32_768;
/** Tasks looked at when there are too many. */
const LOOK = MAX_TASKS >> 3;

export class Task {
  top: FaultRecord | null = null;
  /** Time of the task's latest step. */
  last: number = Number.NEGATIVE_INFINITY;
  /** The latest attempt that kept its lock over handle_mm_fault, held: the task's next step bounds its release. */
  kept: AttemptRecord | null = null;
  closedFault = -1;
  closedCpu = -1;
}

export class Tasks {
  readonly #byTid: Map<number, Task> = new Map();
  /** The task of the step before: steps come in runs. */
  #latest: Task = new Task();
  #latestTid = -1;
  readonly #pool: RecordPool;
  /** Grows when all that was looked at had faults open: not again for each new task. */
  #most = MAX_TASKS;

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#byTid.size;
  }

  /** The task of this tid, new if need be. */
  of(tid: number): Task {
    if (tid === this.#latestTid) return this.#latest;
    let task = this.#byTid.get(tid);
    if (task === undefined) {
      if (this.#byTid.size >= this.#most) this.#forget();
      task = new Task();
      this.#byTid.set(tid, task);
    }
    this.#latestTid = tid;
    this.#latest = task;
    return task;
  }

  /** Looks at some of the tasks and drops the idle ones: an R2 release of theirs stays unbounded. The others are looked at last. */
  #forget(): void {
    let left = LOOK;
    for (const [tid, task] of this.#byTid) {
      this.#byTid.delete(tid);
      if (task.top !== null) this.#byTid.set(tid, task);
      else if (task.kept !== null) {
        this.#pool.letGoAttempt(task.kept);
        task.kept = null;
      }
      if (--left === 0) break;
    }
    this.#most = Math.max(MAX_TASKS, this.#byTid.size + (LOOK >> 1));
  }
}
