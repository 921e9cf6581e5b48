// SPDX-License-Identifier: MIT
/** Names that travel in user-side rows: of stacks, swap devices, cgroups, fault handlers, VMAs. The latest row holds. */

import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from './batch.js';
import { trustedFrames } from './frames.js';
import { ProcessNames } from './process-names.js';
import { Unnamed, UserArgs, UserKind } from './user-rows.js';
import { VmaNames } from './vma-names.js';

const MAX_STACKS = 8192;
/** Depth of the kernel's stack map. */
const MAX_FRAMES = 127;
/** Reasons there can be; a file may claim more. */
const MAX_MISSING = 16;
const MAX_CGROUPS = 16_384;
const MAX_DEVICES = 32;
const MAX_HANDLERS = 1024;

export interface SwapDeviceName {
  readonly type: number;
  readonly name: string;
  readonly synchronous: boolean;
}

export class Names {
  readonly devices: Map<number, SwapDeviceName> = new Map();
  /** Names of fault handlers by address. */
  readonly handlers: BoundedMap<bigint, string> = new BoundedMap(MAX_HANDLERS, () => 0);
  /** What has no names, and why; in the order it was found. */
  readonly missing: Set<string> = new Set();
  /** Stacks asked for that could not be taken. */
  readonly failedStacks = { kernel: 0, user: 0 };
  readonly processes: ProcessNames = new ProcessNames();
  readonly vmas: VmaNames = new VmaNames();
  readonly #stacks: BoundedMap<number, string[]> = new BoundedMap(MAX_STACKS, () => 0);
  readonly #cgroups: BoundedMap<number, { readonly text: string; readonly time: number }> = new BoundedMap(
    MAX_CGROUPS,
    () => 0,
  );

  /** Names dropped from full tables. */
  get evicted(): number {
    return (
      this.#stacks.evicted + this.#cgroups.evicted + this.handlers.evicted + this.processes.evicted + this.vmas.evicted
    );
  }

  /** One row of kind Frame, SwapDevice, Cgroup, Handler, Process, Vma or Unnamed; others are passed over. */
  push(batch: EventBatch, i: number): void {
    const text = batch.strings[batch.comm[i] as number] ?? '';
    switch (batch.kind[i]) {
      case UserKind.Frame: {
        const { stack, index } = UserArgs.Frame;
        this.#frame(batch[stack][i] as number, batch[index][i] as number, text);
        return;
      }
      case UserKind.SwapDevice: {
        const type = batch[UserArgs.SwapDevice.type][i] as number;
        const synchronous = batch[UserArgs.SwapDevice.isSynchronous][i] === 1;
        if (type < MAX_DEVICES) this.devices.set(type, { type, name: text, synchronous });
        return;
      }
      case UserKind.Cgroup:
        this.#cgroups.set(batch[UserArgs.Cgroup.id][i] as number, { text, time: batch.time[i] as number });
        return;
      case UserKind.Handler:
        this.handlers.set(
          (BigInt(batch[UserArgs.Handler.high][i] as number) << 32n) | BigInt(batch[UserArgs.Handler.low][i] as number),
          text,
        );
        return;
      case UserKind.Process: {
        const tgid = batch[UserArgs.Process.tgid][i] as number;
        this.processes.thread(tgid, tgid, text);
        return;
      }
      case UserKind.Vma:
        this.vmas.push(batch, i, text);
        return;
      case UserKind.Unnamed:
        this.#unnamed(batch[UserArgs.Unnamed.what][i] as number, batch[UserArgs.Unnamed.count][i] as number, text);
        return;
    }
  }

  /** The container's or unit's name and the path, or what of it is known; '' for nothing. */
  cgroup(id: number): string {
    const [path = '', name = ''] = (this.#cgroups.get(id)?.text ?? '').split('\t');
    return name === '' ? path : `${name} ${path}`;
  }

  /** When it was named, ns of the session; Infinity while it is not. */
  cgroupNamedAt(id: number): number {
    return this.#cgroups.get(id)?.time ?? Number.POSITIVE_INFINITY;
  }

  /** Copies: symbols by stack id, innermost first. */
  stacks(ids: Iterable<number>): Record<string, readonly string[]> {
    const out: Record<string, readonly string[]> = {};
    for (const id of ids) {
      const frames = this.#stacks.get(id);
      if (frames !== undefined) out[id] = trustedFrames(Array.from(frames, (frame) => frame ?? '?'));
    }
    return out;
  }

  #unnamed(what: number, count: number, text: string): void {
    if (what === Unnamed.KernelStacks) this.failedStacks.kernel = count;
    else if (what === Unnamed.UserStacks) this.failedStacks.user = count;
    else if (this.missing.size < MAX_MISSING) this.missing.add(text);
  }

  #frame(id: number, index: number, symbol: string): void {
    if (index >= MAX_FRAMES) return;
    let frames = this.#stacks.get(id);
    if (frames === undefined) {
      frames = [];
      this.#stacks.set(id, frames);
    }
    frames[index] = symbol;
  }
}
