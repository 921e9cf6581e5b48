// SPDX-License-Identifier: MIT
/** All rows a live source adds so that numbers have names: stacks, fault handlers, cgroups, processes, swap devices. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import { pushUserRow, Unnamed } from '../../core/events/user-rows.js';
import { Symbols } from '../../symbols/symbols.js';
import { CgroupReader, hostOptions } from './cgroups.js';
import { HandlerRows } from './handlers.js';
import { ProcessRows } from './processes.js';
import { type StackKinds, type StackMap, StackReader, StackRows } from './stacks.js';
import { TextPool } from './strings.js';
import { SwapDeviceReader } from './swap-devices.js';

/** Room for the longest stack many times over. */
const ROWS = 4096;
/** At the end names still being read are waited for this long: /proc/kallsyms of a host without memory takes its time. */
const LAST_MS = 10_000;
/** And groups, that may be many, this long. */
const GROUPS_MS = 1000;
const MAX_REASONS = 16;

export interface NameMaps {
  /** `stacks` of bpf/maps.bpf.h; null when no stacks are taken. */
  readonly stacks: StackMap | null;
  /** Values of `swap_devices`; null when they are not noted. */
  readonly swapDevices: ArrayBuffer | null;
}

export class NameRows {
  readonly symbols: Symbols = new Symbols();
  /** What comes is named by what its process has mapped, as long as that lives: stacks of users. */
  readonly isUrgent: boolean;
  readonly #stacks: StackRows | null;
  readonly #handlers: HandlerRows;
  readonly #cgroups: CgroupReader;
  readonly #processes: ProcessRows;
  readonly #devices: SwapDeviceReader | null;
  readonly #texts: TextPool;
  readonly #lost: readonly string[];
  readonly #said: Set<string> = new Set();
  readonly #failed: number[] = [0, 0];

  /** `strings`: those of the source's batches. `lost`: what else has no names. `hostRoot`: where the host's files are. Capabilities may be dropped from then on. */
  constructor(maps: NameMaps, kinds: StackKinds, strings: string[], lost: readonly string[] = [], hostRoot = '/') {
    this.#texts = new TextPool(strings, MAX_REASONS);
    this.#lost = lost;
    this.isUrgent = maps.stacks !== null && kinds.user;
    const { stacks, swapDevices } = maps;
    // It opens the file now, with the capabilities of now.
    this.symbols.prime();
    this.#stacks = stacks && new StackRows(new StackReader(stacks, this.symbols), strings, kinds);
    this.#handlers = new HandlerRows(this.symbols, strings);
    this.#cgroups = new CgroupReader(strings, hostOptions(hostRoot));
    this.#processes = new ProcessRows(strings);
    this.#devices = swapDevices && new SwapDeviceReader(swapDevices, strings);
  }

  /** What takes privileges to read and is not asked for yet: the names of containers. At most `ms`. */
  prime(ms: number): Promise<void> {
    return this.#cgroups.prime(ms);
  }

  /** The list of the source's next batches, when theirs has become too long. */
  renewStrings(strings: string[]): void {
    for (const rows of [this.#stacks, this.#handlers, this.#cgroups, this.#processes, this.#devices])
      rows?.renewStrings(strings);
    this.#texts.renew(strings);
  }

  /** An empty batch for `emit`. */
  createBatch(strings: readonly string[]): EventBatch {
    return createBatch(ROWS, strings);
  }

  /** Takes note of what is to be named in a batch of kernel rows, from row `from` on: after each drain, while processes still live. */
  note(batch: EventBatch, from = 0): void {
    this.#stacks?.note(batch, from);
    this.#handlers.note(batch, from);
    this.#cgroups.note(batch, from);
    this.#processes.note(batch, from);
  }

  /** Appends the names of processes in rows that are about to be handed on: they go before those. Returns the rows added. */
  emitProcesses(batch: EventBatch, time: number): number {
    return this.#processes.emit(batch, time);
  }

  /**
   * Appends what is known by now and was not handed on, as far as there is room; takes a few milliseconds at most.
   * `last`: nothing is waited for. Returns the rows added. Throws `BpfError` when a map cannot be read.
   */
  emit(batch: EventBatch, time: number, last = false): number {
    const before = batch.length;
    this.#emitUnnamed(batch, time);
    this.#devices?.emit(batch, time);
    this.#cgroups.emit(batch, time);
    this.#handlers.emit(batch, time);
    this.#stacks?.emit(batch, time, last);
    return batch.length - before;
  }

  /** What has no names, as it is found out. */
  #emitUnnamed(batch: EventBatch, time: number): void {
    for (const why of this.missing) {
      if (this.#said.has(why)) continue;
      this.#said.add(why);
      pushUserRow(batch, 'Unnamed', time, { what: Unnamed.Reason, count: 0 });
      batch.comm[batch.length - 1] = this.#texts.id(why);
    }
    const { kernel, user } = this.failedStacks ?? { kernel: 0, user: 0 };
    [kernel, user].forEach((count, i) => {
      if (count === this.#failed[i]) return;
      this.#failed[i] = count;
      pushUserRow(batch, 'Unnamed', time, { what: i === 0 ? Unnamed.KernelStacks : Unnamed.UserStacks, count });
    });
  }

  /** When no kernel row comes any more: waits so long at most. Then `emit` with `last`, until it adds nothing. */
  async finish(ms: number = LAST_MS): Promise<void> {
    await Promise.all([
      this.symbols.settle(ms),
      this.#stacks?.settle(ms),
      this.#cgroups.settle(Math.min(ms, GROUPS_MS)),
    ]);
  }

  /** Stacks asked for that could not be taken; null when none were asked for. */
  get failedStacks(): Readonly<{ kernel: number; user: number }> | null {
    return this.#stacks?.failed ?? null;
  }

  /** What has no names here, and why; empty when nothing was found to be lacking. */
  get missing(): readonly string[] {
    return [this.symbols.kernelWhy, this.#cgroups.why, ...this.#lost].filter((why) => why !== '');
  }
}
