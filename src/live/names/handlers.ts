// SPDX-License-Identifier: MIT
/** Names of the fault handlers (`vm_ops->fault`) of drivers and file systems that made a fault fall back. */
import type { EventBatch } from '../../core/events/batch.js';
import { pushUserRow } from '../../core/events/user-rows.js';
import { VlArgs, VlKind } from '../../schema/events.gen.js';
import type { Symbols } from '../../symbols/symbols.js';
import { TextPool } from './strings.js';

/** A kernel has some hundreds of them; modules that come and go may bring the same ones elsewhere. */
const MAX_HANDLERS = 4096;

interface Handler {
  readonly high: number;
  readonly low: number;
}

/** Sees to it that each handler in the rows of a source is followed once by its `UserKind.Handler` row. */
export class HandlerRows {
  readonly #symbols: Symbols;
  readonly #texts: TextPool;
  readonly #seen: Set<string> = new Set();
  #pending: Handler[] = [];

  /** `strings`: those of the source's batches. */
  constructor(symbols: Symbols, strings: string[]) {
    this.#symbols = symbols;
    this.#texts = new TextPool(strings, MAX_HANDLERS);
  }

  /** The list of the source's next batches. */
  renewStrings(strings: string[]): void {
    this.#texts.renew(strings);
  }

  /** Takes note of the handlers in a batch of kernel rows, from row `from` on. */
  note(batch: EventBatch, from = 0): void {
    const { kind, length, [VlArgs.VMA_OPS.high]: high, [VlArgs.VMA_OPS.low]: low } = batch;
    for (let i = from; i < length; i++) {
      if (kind[i] !== VlKind.VMA_OPS) continue;
      const handler = { high: high[i] as number, low: low[i] as number };
      const key = `${handler.high}.${handler.low}`;
      if (this.#seen.has(key) || this.#seen.size >= MAX_HANDLERS) continue;
      this.#seen.add(key);
      this.#pending.push(handler);
    }
  }

  /** Appends a row for each handler whose name is known by now, as far as `batch` has room. Returns the rows added. */
  emit(batch: EventBatch, time: number): number {
    const before = batch.length;
    this.#pending = this.#pending.filter(({ high, low }) => {
      if (batch.length >= batch.kind.length) return true;
      const name = this.#symbols.handler((BigInt(high) << 32n) | BigInt(low));
      // Hidden names stay hidden: then nothing is left to wait for.
      if (name === null) return this.#symbols.kernelWhy === '';
      pushUserRow(batch, 'Handler', time, { high, low });
      batch.comm[batch.length - 1] = this.#texts.id(name);
      return false;
    });
    return batch.length - before;
  }
}
