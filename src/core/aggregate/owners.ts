// SPDX-License-Identifier: MIT
/** The process and the cgroup that a fault counts for. Bounded: those with the fewest faults go first, none with one in flight. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { ProcessNames } from '../events/process-names.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { CgroupSums, ProcessSums } from './sums.js';

const MAX_PROCESSES = 4096;
const MAX_CGROUPS = 4096;

const worth = (sums: ProcessSums | CgroupSums): number =>
  sums.inFlight > 0 ? Number.MAX_VALUE : sums.lifecycles + sums.swap;

export interface CountedFor {
  readonly tgid: number;
  readonly comm: string;
  readonly cgroup: number;
  readonly time: number;
}

export class Owners {
  readonly processes: BoundedMap<number, ProcessSums> = new BoundedMap<number, ProcessSums>(MAX_PROCESSES, worth);
  readonly cgroups: BoundedMap<number, CgroupSums> = new BoundedMap<number, CgroupSums>(MAX_CGROUPS, worth);
  readonly #names: ProcessNames;
  // Those of the fault before.
  #process: ProcessSums = new ProcessSums(-1, '', 0);
  #group: CgroupSums = new CgroupSums(-1, 0);

  constructor(names: ProcessNames) {
    this.#names = names;
  }

  processOf(fault: FaultRecord): ProcessSums {
    const { tgid, tid, comm, cgroup } = fault;
    let process = this.#process;
    if (process.tgid !== tgid) {
      const known = this.processes.get(tgid);
      process = known ?? new ProcessSums(tgid, comm, cgroup);
      if (known === undefined) this.processes.set(tgid, process);
      this.#process = process;
    }
    // exec and prctl change a name, and a task may move: the latest holds. A leader not heard of gives none: then it is
    // that of the thread seen first, and stays.
    this.#names.thread(tgid, tid, comm);
    process.comm = this.#names.of(tgid, process.comm);
    process.cgroup = cgroup;
    fault.processName = process.comm;
    return process;
  }

  groupOf({ cgroup, first }: FaultRecord): CgroupSums {
    if (this.#group.cgroup !== cgroup) this.#group = this.#cgroup(cgroup, first);
    return this.#group;
  }

  /** Swap faults that were counted and not followed. `comm`: of one of its threads. */
  swapCounted(faults: number, { tgid, comm, cgroup, time }: CountedFor): void {
    let process = this.processes.get(tgid);
    if (process === undefined) {
      process = new ProcessSums(tgid, this.#names.of(tgid, comm), cgroup);
      this.processes.set(tgid, process);
    }
    process.swap += faults;
    this.#cgroup(cgroup, time).swap += faults;
  }

  #cgroup(cgroup: number, since: number): CgroupSums {
    let group = this.cgroups.get(cgroup);
    if (group === undefined) {
      group = new CgroupSums(cgroup, since);
      this.cgroups.set(cgroup, group);
    }
    return group;
  }
}
