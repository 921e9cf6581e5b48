// SPDX-License-Identifier: MIT
/** Ordinary swap faults, which the kernel side counts by process, cgroup and device and nobody follows. */

import { VlCountedLimit } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import { CountedField, NO_DEVICE, UserArgs } from '../events/user-rows.js';

const ARGS = UserArgs.Counted;
const { BUCKETS, ROWS } = VlCountedLimit;

/** More than the kernel side tells apart at a time. */
const MAX_ROWS = 2 * ROWS;

export interface CountedRow {
  readonly tgid: number;
  /** Of one of its threads. */
  readonly comm: string;
  readonly cgroup: number;
  /** Index of swap_info[]; null where get_swap_device was not called (migration entries, markers). */
  readonly device: number | null;
  readonly faults: number;
  /** Of those: the fault read the page itself (VM_FAULT_MAJOR). */
  readonly reads: number;
  /** In do_swap_page, summed. */
  readonly ns: number;
  /** log2 histogram of ns in do_swap_page; index = bucket. */
  readonly hist: readonly number[];
}

class Sums {
  faults = 0;
  ns = 0;
  reads = 0;
  readonly hist: Float64Array = new Float64Array(BUCKETS);
  readonly tgid: number;
  readonly comm: string;
  readonly cgroup: number;
  readonly device: number;

  constructor(tgid: number, comm: string, cgroup: number, device: number) {
    this.tgid = tgid;
    this.comm = comm;
    this.cgroup = cgroup;
    this.device = device;
  }
}

export class CountedFaults {
  readonly #rows: BoundedMap<string, Sums> = new BoundedMap(MAX_ROWS, (row) => row.faults);
  /** All of them, those of rows forgotten since too. */
  faults = 0;
  #last: Sums | null = null;

  /** One `UserKind.Counted` row. Returns how many faults it adds. */
  push(batch: EventBatch, i: number): number {
    const row = this.#rowOf(batch, i);
    const bucket = batch[ARGS.field][i] as number;
    const value = batch[ARGS.value][i] as number;
    if (bucket === CountedField.Ns) row.ns += value;
    else if (bucket === CountedField.Reads) row.reads += value;
    if (bucket >= BUCKETS) return 0;
    row.hist[bucket] = (row.hist[bucket] as number) + value;
    row.faults += value;
    this.faults += value;
    return value;
  }

  #rowOf(batch: EventBatch, i: number): Sums {
    const tgid = batch.tgid[i] as number;
    const cgroup = batch.cgroup[i] as number;
    const device = batch[ARGS.device][i] as number;
    const last = this.#last;
    // The rows of one process come together: no key needs to be made for each.
    if (last !== null && last.tgid === tgid && last.cgroup === cgroup && last.device === device) return last;
    const key = `${tgid} ${cgroup} ${device}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new Sums(tgid, batch.strings[batch.comm[i] as number] ?? '', cgroup, device);
      this.#rows.set(key, row);
    }
    this.#last = row;
    return row;
  }

  get evicted(): number {
    return this.#rows.evicted;
  }

  /** Most faults first. */
  rows(most: number): CountedRow[] {
    return [...this.#rows.values()]
      .sort((x, y) => y.faults - x.faults || x.tgid - y.tgid || x.device - y.device || x.cgroup - y.cgroup)
      .slice(0, most)
      .map(({ tgid, comm, cgroup, device, faults, reads, ns, hist }) => ({
        tgid,
        comm,
        cgroup,
        device: device === NO_DEVICE ? null : device,
        faults,
        reads,
        ns,
        hist: [...hist],
      }));
  }
}
