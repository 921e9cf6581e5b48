// SPDX-License-Identifier: MIT
/** Names of processes as ps(1) has them: the `comm` of the thread group's leader, whatever its other threads call themselves. */

import { BoundedMap } from '../bounded/bounded-map.js';

const MAX_PROCESSES = 16_384;

export class ProcessNames {
  readonly #names: BoundedMap<number, string> = new BoundedMap(MAX_PROCESSES, () => 0);

  get evicted(): number {
    return this.#names.evicted;
  }

  /** A thread and its own name, as a row of the kernel has them: the process's, where it is the leader. */
  thread(tgid: number, tid: number, comm: string): void {
    if (tid === tgid && comm !== '') this.#names.set(tgid, comm);
  }

  /** The name of a process; `otherwise` while its leader's is not known. */
  of(tgid: number, otherwise: string): string {
    return this.#names.get(tgid) ?? otherwise;
  }
}
