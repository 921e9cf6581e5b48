// SPDX-License-Identifier: MIT
/** The rows the aggregate sums into. */

import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import type { End } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import type { Cause } from '../vocabulary/causes.js';
import type { CounterfactualSums } from './counterfactual-sums.js';
import { Histogram } from './histogram.js';
import type { LostSums } from './lost-series.js';
import { NameCounts } from './name-counts.js';
import type { WorkFigures } from './snapshot-rows.js';

/** What the faults of somebody did. None but `inFlight` ever goes back. */
class WorkSums implements WorkFigures {
  lifecycles = 0;
  swap = 0;
  retries = 0;
  aborts = 0;
  inFlight = 0;
  folioWaitNs = 0;
  mmapWaitNs = 0;
  totalNs = 0;
}

/** By the cgroup a fault began in: what a process did before it was moved stays where it did it. */
export class CgroupSums extends WorkSums {
  readonly cgroup: number;
  /** Time of the first step of its first fault. */
  readonly since: number;

  constructor(cgroup: number, since: number) {
    super();
    this.cgroup = cgroup;
    this.since = since;
  }
}

export class ProcessSums extends WorkSums {
  readonly tgid: number;
  comm: string;
  cgroup: number;
  /** The latest mm of this process and a small number for it: half of an address row's key. */
  mm = -1;
  mmIndex = -1;
  /** null while it had no retry. */
  counterfactual: CounterfactualSums | null = null;
  /** null while none of its faults lost the VMA lock. */
  lost: LostSums | null = null;

  constructor(tgid: number, comm: string, cgroup: number) {
    super();
    this.tgid = tgid;
    this.comm = comm;
    this.cgroup = cgroup;
  }
}

/** One page that retried. Counts the lifecycles with a RETRY under the VMA lock, from that RETRY on. */
export class AddressSums {
  readonly tgid: number;
  readonly comm: string;
  readonly mm: number;
  readonly address: number;
  readonly vmaStart: number;
  lifecycles = 0;
  retries = 0;
  joined = 0;
  closed = 0;
  readonly byCause: NameCounts<Cause> = new NameCounts();
  readonly byEnd: NameCounts<End> = new NameCounts();

  constructor({ tgid, processName, mm, address, vmaStart }: FaultRecord) {
    this.tgid = tgid;
    this.comm = processName;
    this.mm = mm;
    this.address = address;
    this.vmaStart = vmaStart;
  }
}

export class ReleaseSums {
  count = 0;
  unbounded = 0;
  checked = 0;
  outside = 0;
  readonly width: Histogram = new Histogram();

  check(attempt: AttemptRecord): void {
    this.checked++;
    const { lo, hi } = attempt.released;
    if (attempt.exactRelease < lo || attempt.exactRelease > hi) this.outside++;
  }
}

/** One swap device type, as an index of swap_info[]. */
export class DeviceSums {
  readonly type: number;
  synchronous: boolean;
  faults = 0;
  reads = 0;
  retries = 0;
  readonly folioWait: Histogram = new Histogram();
  readonly syncRead: Histogram = new Histogram();

  constructor(type: number, synchronous: boolean) {
    this.type = type;
    this.synchronous = synchronous;
  }
}
