// SPDX-License-Identifier: MIT
/** What the rows of a live source point to by number and other machines could not look up: stacks, handlers, devices, cgroups. */
import { createBatch, type EventBatch } from '../core/batch.js';
import type { BpfObject } from '../ebpf-ts/index.js';
import { Symbols } from '../symbols/symbols.js';
import { CgroupReader } from './cgroups.js';
import { HandlerRows } from './handlers.js';
import { StackReader, StackRows } from './stacks.js';
import { SwapDeviceReader } from './swap-devices.js';

/** Room for four stacks as deep as the kernel keeps them (PERF_MAX_STACK_DEPTH, 127) and as much of the rest. */
const ROWS = 1024;
/** At the end: names still being read are waited for no longer. */
const LAST_MS = 500;

export interface AnnotationOptions {
  readonly stacks: { readonly kernel: boolean; readonly user: boolean };
}

export class Annotations {
  readonly #stacks: StackRows | null;
  readonly #handlers: HandlerRows;
  readonly #devices: SwapDeviceReader;
  readonly #cgroups: CgroupReader;
  readonly #batch: EventBatch;

  /** `strings`: those of the source's batches. */
  constructor(object: BpfObject, strings: string[], { stacks }: AnnotationOptions) {
    const symbols = new Symbols();
    this.#stacks =
      stacks.kernel || stacks.user
        ? new StackRows(new StackReader(object.map('stacks'), symbols), strings, stacks)
        : null;
    this.#handlers = new HandlerRows(symbols, strings);
    this.#devices = new SwapDeviceReader(object.map('swap_devices'), strings);
    this.#cgroups = new CgroupReader(strings);
    this.#batch = createBatch(ROWS, strings);
  }

  /** Takes note of what rows from `from` on point to. The sooner, the likelier what is to be named still lives. */
  note(batch: EventBatch, from: number): void {
    this.#stacks?.note(batch, from);
    this.#handlers.note(batch, from);
    this.#cgroups.note(batch, from);
  }

  /** Rows for what is known by now, in a batch of their own that is this object's again at the next call; null when there are none. */
  rows(time: number, last = false): EventBatch | null {
    const batch = this.#batch;
    batch.length = 0;
    this.#devices.emit(batch, time);
    this.#handlers.emit(batch, time);
    this.#cgroups.emit(batch, time);
    this.#stacks?.emit(batch, time, last);
    return batch.length > 0 ? batch : null;
  }

  /** Before the last call of `rows`. */
  async settle(): Promise<void> {
    await Promise.all([this.#cgroups.settle(LAST_MS), this.#stacks?.settle(LAST_MS)]);
  }
}
