// SPDX-License-Identifier: MIT
/** The lifecycles that are open: in the order they began, and within a task by depth. */
import type { FaultRecord } from './record.js';
import type { Task } from './tasks.js';

export class OpenFaults {
  count = 0;
  oldest: FaultRecord | null = null;
  #newest: FaultRecord | null = null;

  /** Oldest first. */
  *all(): Generator<FaultRecord> {
    for (let f = this.oldest; f !== null; f = f.newer) yield f;
  }

  /** As the newest of all, and inside whatever is open in its task. */
  add(f: FaultRecord, task: Task): void {
    f.below = task.top;
    if (task.top !== null) task.top.above = f;
    task.top = f;
    f.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = f;
    else this.oldest = f;
    this.#newest = f;
    this.count++;
  }

  remove(f: FaultRecord, task: Task): void {
    if (f.below !== null) f.below.above = f.above;
    if (f.above !== null) f.above.below = f.below;
    else task.top = f.below;
    if (f.older !== null) f.older.newer = f.newer;
    else this.oldest = f.newer;
    if (f.newer !== null) f.newer.older = f.older;
    else this.#newest = f.older;
    f.below = f.above = f.older = f.newer = null;
    this.count--;
  }
}
