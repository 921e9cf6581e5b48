// SPDX-License-Identifier: MIT
/** The sums behind one row of blockers. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { ProcessNames } from '../events/process-names.js';
import type { BlockerRow, ForkStats, VictimRow } from './blocker-rows.js';
import { Histogram } from './histogram.js';

const MAX_VICTIMS = 64;
const MAX_VIA = 32;

export interface Victim {
  readonly tgid: number;
  readonly comm: string;
  readonly what: string;
  readonly isWrite: boolean;
}

type VictimSums = { -readonly [K in keyof VictimRow]: VictimRow[K] };

class ForkSums {
  count = 0;
  maxThreads = 0;
  maxVmas = 0;
  vmas = 0;
  vmaWaitNs: number | null = null;
  maxVmaWaitNs: number | null = null;
  /** null: not counted. */
  locked: number | null = null;
  readonly waits: Histogram = new Histogram();
  worst: ForkStats['worst'] = null;

  row(): ForkStats {
    return { ...this, waits: this.locked === null ? null : this.waits.stats() };
  }
}

/** A copy of an mm. */
export interface Fork {
  readonly threads: number;
  readonly vmas: number;
  /** null: not seen. */
  readonly vmaWaitNs: number | null;
  /** VMAs that were write-locked; null: not counted. */
  readonly locked: number | null;
  /** Waits for those who held one of them. */
  readonly waits: readonly { readonly ns: number; readonly lo: number; readonly hi: number }[];
}

export class BlockerSums {
  readonly tgid: number;
  /** Of the thread that was first. */
  readonly comm: string;
  readonly what: string;
  readonly isWrite: boolean;
  readonly mm: number;
  readonly lock: BlockerRow['lock'];
  owner = 0;
  cgroup = 0;
  readonly hold: Histogram = new Histogram();
  readonly blocked: Histogram = new Histogram();
  readonly waited: Histogram = new Histogram();
  untimed = 0;
  convoys = 0;
  convoyWaits = 0;
  #worstTid = 0;
  #kernelStack = -1;
  #userStack = -1;
  #forks: ForkSums | null = null;
  readonly #victims: BoundedMap<string, VictimSums> = new BoundedMap(MAX_VICTIMS, (victim) => victim.sumNs);
  readonly #via: BoundedMap<string, { count: number }> = new BoundedMap(MAX_VIA, (via) => via.count);

  constructor({ tgid, comm, what, isWrite }: Victim, mm: number, lock: BlockerRow['lock']) {
    this.lock = lock;
    this.tgid = tgid;
    this.comm = comm;
    this.what = what;
    this.isWrite = isWrite;
    this.mm = mm;
  }

  /** A hold of `tid`, with the ids of its stacks, -1 none; `ns` NaN: its beginning was not seen. */
  held(tid: number, ns: number, kernelStack: number, userStack: number): void {
    if (Number.isNaN(ns)) {
      this.untimed++;
      return;
    }
    if (this.hold.count === 0 || ns > this.hold.max) {
      this.#worstTid = tid;
      this.#kernelStack = kernelStack;
      this.#userStack = userStack;
    }
    this.hold.record(Math.max(0, ns));
  }

  forked({ threads, vmas, vmaWaitNs, locked, waits }: Fork): void {
    this.#forks ??= new ForkSums();
    const forks = this.#forks;
    forks.count++;
    forks.vmas += vmas;
    forks.maxThreads = Math.max(forks.maxThreads, threads);
    forks.maxVmas = Math.max(forks.maxVmas, vmas);
    if (locked !== null) {
      forks.locked = (forks.locked ?? 0) + locked;
      for (const { ns, lo, hi } of waits) {
        if (forks.waits.count === 0 || ns > forks.waits.max) forks.worst = { start: lo, end: hi };
        forks.waits.record(ns);
      }
    }
    if (vmaWaitNs === null) return;
    forks.vmaWaitNs = (forks.vmaWaitNs ?? 0) + vmaWaitNs;
    forks.maxVmaWaitNs = Math.max(forks.maxVmaWaitNs ?? 0, vmaWaitNs);
  }

  /** `ns` of a wait of `victim` were spent behind holds of this row. */
  blockedWait({ tgid, comm, what, isWrite }: Victim, ns: number): void {
    this.blocked.record(ns);
    const key = `${tgid}:${isWrite ? 'w' : 'r'}:${what}`;
    let victim = this.#victims.get(key);
    if (victim === undefined) {
      victim = { tgid, comm, what, isWrite, waits: 0, sumNs: 0, maxNs: 0 };
      this.#victims.set(key, victim);
    }
    victim.comm = comm;
    victim.waits++;
    victim.sumNs += ns;
    if (ns > victim.maxNs) victim.maxNs = ns;
  }

  /** A reader stood behind the writer `who`. */
  convoyBehind(who: string): void {
    const via = this.#via.get(who);
    if (via === undefined) this.#via.set(who, { count: 1 });
    else via.count++;
  }

  /** `owner`, `ownerComm`: of the mm. */
  row(owner: number, ownerComm: string, names: ProcessNames): BlockerRow {
    const { tgid, what, isWrite, mm, cgroup, convoys, convoyWaits } = this;
    return {
      lock: this.lock,
      tgid,
      comm: names.of(tgid, this.comm),
      what,
      isWrite,
      mm,
      owner,
      ownerComm,
      cgroup,
      hold: this.hold.stats(),
      untimed: this.untimed,
      waited: this.waited.stats(),
      worstTid: this.#worstTid,
      blocked: this.blocked.stats(),
      victims: [...this.#victims.values()]
        .sort((x, y) => y.sumNs - x.sumNs || y.waits - x.waits || x.tgid - y.tgid || (x.what < y.what ? -1 : 1))
        .map((victim) => ({ ...victim, comm: names.of(victim.tgid, victim.comm) })),
      convoys,
      convoyWaits,
      convoyVia: [...this.#via.entries()].sort(([, x], [, y]) => y.count - x.count)[0]?.[0] ?? '',
      forks: this.#forks?.row() ?? null,
      kernelStack: this.#kernelStack,
      userStack: this.#userStack,
    };
  }
}
