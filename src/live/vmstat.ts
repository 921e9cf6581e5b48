// SPDX-License-Identifier: MIT
/** The kernel's own count of faults under the VMA lock, where it keeps one (CONFIG_PER_VMA_LOCK_STATS): read around both ends of a session. */
import { readFileSync } from 'node:fs';
import { VMSTAT_LINES } from '../core/aggregate/outcomes.js';
import type { EventBatch } from '../core/events/batch.js';
import { CounterGroup, pushCounter } from '../core/events/user-rows.js';

type Values = readonly number[];

/** By `VMSTAT_LINES`; null where a line is not there. */
function readVmstat(path: string): Values | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  const values = VMSTAT_LINES.map((line) => Number(new RegExp(`^${line} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN));
  return values.some(Number.isNaN) ? null : values;
}

export class VmstatCount {
  readonly #path: string;
  #beforeBegin: Values | null = null;
  #afterBegin: Values | null = null;
  #beforeEnd: Values | null = null;
  #afterEnd: Values | null = null;

  /** Reads it once: nothing is read any more where the kernel keeps no such count. */
  constructor(path = '/proc/vmstat') {
    this.#path = path;
    this.#beforeBegin = readVmstat(path);
  }

  /** Right before the session begins, and right after. */
  beginning(): void {
    if (this.#beforeBegin !== null) this.#beforeBegin = readVmstat(this.#path);
  }

  begun(): void {
    if (this.#beforeBegin !== null) this.#afterBegin = readVmstat(this.#path);
  }

  /** Now and then, and right before the end. `ended`: asked afterwards, whether the session was over already. */
  sample(ended: () => boolean): void {
    if (this.#afterBegin === null) return;
    const values = readVmstat(this.#path);
    if (!ended()) this.#beforeEnd = values;
  }

  /** Right after the end. */
  ended(): void {
    if (this.#afterBegin !== null) this.#afterEnd ??= readVmstat(this.#path);
  }

  /** Appends what the lines grew by; nothing where they are not known. */
  emit(batch: EventBatch, time: number): void {
    const { a0, b0, a1, b1 } = { a0: this.#beforeBegin, b0: this.#afterBegin, a1: this.#beforeEnd, b1: this.#afterEnd };
    if (a0 === null || b0 === null || b1 === null) return;
    VMSTAT_LINES.forEach((_, i) => {
      const least = Math.max(0, ((a1 ?? b0)[i] ?? 0) - (b0[i] ?? 0));
      const most = (b1[i] ?? 0) - (a0[i] ?? 0);
      pushCounter(batch, time, CounterGroup.Vmstat, 2 * i, least);
      pushCounter(batch, time, CounterGroup.Vmstat, 2 * i + 1, most);
    });
  }
}
