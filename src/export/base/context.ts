// SPDX-License-Identifier: MIT
/** What rows need besides themselves: the session, its clocks, and the names that travel in rows of the user side. */

import { BoundedMap } from '../../core/bounded/bounded-map.js';
import type { EventBatch } from '../../core/events/batch.js';
import { noteClock, wallNs } from '../../core/events/clocks.js';
import type { ClockPair, SessionInfo } from '../../core/events/session.js';
import { UserArgs, UserKind } from '../../core/events/user-rows.js';
import { VmaNames } from '../../core/events/vma-names.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { whyNoWait } from '../../core/present/wait-hooks.js';
import { WAIT_KINDS, type WaitKind } from '../../core/vocabulary/waits.js';

const MAX_NAMES = 65_536;

export class Context {
  readonly session: SessionInfo;
  /** CLOCK_MONOTONIC at the session's zero, ns. */
  readonly baseNs: bigint;
  /** By time; empty when the recording has none. More come with the rows. */
  get clocks(): readonly ClockPair[] {
    return this.session.clocks;
  }
  readonly #cgroups: BoundedMap<number, string> = new BoundedMap(MAX_NAMES, () => 0);
  readonly #devices: Map<number, string> = new Map();
  readonly #vmas: VmaNames = new VmaNames();

  readonly #waits: ReadonlySet<WaitKind>;

  constructor(session: SessionInfo) {
    this.session = session;
    this.baseNs = BigInt(session.baseNs);
    this.#waits = new Set(WAIT_KINDS.filter((kind) => whyNoWait(session, kind) === ''));
  }

  /** Takes the names out of a batch; to be called before its rows are exported. */
  observe(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i];
      if (kind === UserKind.Clock) noteClock(this.session, batch, i);
      else if (kind === UserKind.Cgroup) this.#cgroups.set(batch[UserArgs.Cgroup.id][i] as number, nameOf(batch, i));
      else if (kind === UserKind.SwapDevice)
        this.#devices.set(batch[UserArgs.SwapDevice.type][i] as number, nameOf(batch, i));
      else if (kind === UserKind.Vma) this.#vmas.push(batch, i, nameOf(batch, i));
    }
  }

  /** Wall-clock time, ns since the epoch, of a session time, by the clock pair before it; null where there is none. */
  wallClock(time: number): bigint | null {
    return wallNs(this.session, time);
  }

  /** Whether a wait of this kind would have been seen. */
  seesWait(kind: WaitKind): boolean {
    return this.#waits.has(kind);
  }

  /** Path of a cgroup; null when the recording does not name it. */
  cgroupPath(id: number): string | null {
    return this.#cgroups.get(id)?.split('\t')[0] ?? null;
  }

  /** Name of the container or unit of a cgroup; null when not known. */
  cgroupName(id: number): string | null {
    return this.#cgroups.get(id)?.split('\t')[1] ?? null;
  }

  /** What the VMA of a fault maps, as /proc/PID/maps says it; null when the recording does not say. */
  mapping({ mm, vmaStart }: Pick<Lifecycle, 'mm' | 'vmaStart'>): string | null {
    return this.#vmas.of(mm, vmaStart).label || null;
  }

  /** Name of a swap device; null when the recording does not name it. */
  swapDevice(type: number): string | null {
    return this.#devices.get(type) || null;
  }
}

function nameOf(batch: EventBatch, i: number): string {
  return batch.strings[batch.comm[i] as number] ?? '';
}
