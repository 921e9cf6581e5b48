// SPDX-License-Identifier: MIT
/** What the fold remembers of each task between its steps. */
import type { AttemptRecord, FaultRecord } from './record.js';
import type { RecordPool } from './record-pool.js';

/** Tasks remembered at most; idle ones go first, longest known first. */
const MAX_TASKS = 131_072;

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

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  /** The task of this tid, new if need be. */
  of(tid: number): Task {
    if (tid === this.#latestTid) return this.#latest;
    let task = this.#byTid.get(tid);
    if (task === undefined) {
      if (this.#byTid.size >= MAX_TASKS) this.#forget();
      task = new Task();
      this.#byTid.set(tid, task);
    }
    this.#latestTid = tid;
    this.#latest = task;
    return task;
  }

  /** Looks at an eighth of the tasks and drops the idle ones: an R2 release of theirs stays unbounded. */
  #forget(): void {
    let left = MAX_TASKS >> 3;
    for (const [tid, task] of this.#byTid) {
      if (task.top === null) {
        if (task.kept !== null) this.#pool.letGoAttempt(task.kept);
        task.kept = null;
        this.#byTid.delete(tid);
      }
      if (--left === 0) return;
    }
  }
}
