// SPDX-License-Identifier: MIT
/** What faults sum up to by process and by cgroup. Bounded: those with the fewest faults go first, none with one in flight. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { ProcessNames } from '../events/process-names.js';
import type { WaitRecord } from '../lifecycle/attempt-record.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { hasLost, LostSums } from './lost-series.js';
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

  /** A fault began: from here on it counts for this process and this cgroup. */
  opened(fault: FaultRecord): void {
    const process = this.#processOf(fault);
    fault.process = process;
    process.lifecycles++;
    process.inFlight++;
    const group = this.#groupOf(fault);
    fault.group = group;
    group.lifecycles++;
    group.inFlight++;
  }

  swapFault(fault: FaultRecord): void {
    (fault.process as ProcessSums).swap++;
    (fault.group as CgroupSums).swap++;
  }

  retried(fault: FaultRecord): void {
    (fault.process as ProcessSums).retries++;
    (fault.group as CgroupSums).retries++;
  }

  aborted(fault: FaultRecord): void {
    (fault.process as ProcessSums).aborts++;
    (fault.group as CgroupSums).aborts++;
  }

  waited(fault: FaultRecord, { kind, start, end }: WaitRecord): void {
    const process = fault.process as ProcessSums;
    const group = fault.group as CgroupSums;
    if (kind === 'folio') {
      process.folioWaitNs += end - start;
      group.folioWaitNs += end - start;
    } else if (kind === 'mmapLock') {
      process.mmapWaitNs += end - start;
      group.mmapWaitNs += end - start;
    }
  }

  closed(fault: FaultRecord): void {
    const process = fault.process as ProcessSums;
    process.inFlight--;
    process.totalNs += fault.last - fault.first;
    if (hasLost(fault)) {
      process.lost ??= new LostSums();
      process.lost.add(fault.last);
    }
    const group = fault.group as CgroupSums;
    group.inFlight--;
    group.totalNs += fault.last - fault.first;
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

  #processOf(fault: FaultRecord): ProcessSums {
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

  #groupOf({ cgroup, first }: FaultRecord): CgroupSums {
    if (this.#group.cgroup !== cgroup) this.#group = this.#cgroup(cgroup, first);
    return this.#group;
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
