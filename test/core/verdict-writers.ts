// SPDX-License-Identifier: MIT
/** Rows of writers, as the oracle of `verdict` keeps them: every moment at which one came, and with which hold. */
import type { EventBatch } from '../../src/core/events/batch.js';
import { VlKind } from '../../src/schema/events.gen.js';

export interface WriterMoment {
  readonly hold: string;
  readonly mm: number;
  readonly time: number;
  readonly tid: number;
  readonly vma: readonly [number, number] | null;
  /** Of mmap_lock: what the system call names. */
  readonly named: readonly [number, number] | null;
}

/** Every moment at which a writer came, with the hold it belongs to. */
export class Writers {
  readonly moments: WriterMoment[] = [];
  /** When a hold was given back, where that was sent. */
  readonly released: Map<string, number> = new Map();
  readonly #hold: Map<string, string> = new Map();
  #n = 0;

  push(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const key = String(batch.tid[i]);
      const mm = batch.mm[i] as number;
      const tid = batch.tid[i] as number;
      const vma = [batch.vmaStart[i], batch.vmaEnd[i]] as [number, number];
      const name = `${mm} `;
      if (batch.kind[i] === VlKind.W_ACQUIRED) {
        const hold = `${name}${++this.#n}`;
        this.#hold.set(key, hold);
        this.moments.push({
          hold,
          mm,
          tid,
          time: batch.time[i] as number,
          vma: null,
          named: vma[1] === 0 ? null : vma,
        });
      } else if (batch.kind[i] === VlKind.W_RELEASED) {
        const hold = this.#hold.get(key);
        if (!hold?.startsWith(name)) continue;
        this.released.set(hold, batch.time[i] as number);
        this.#hold.delete(key);
      } else if (batch.kind[i] === VlKind.W_VMA) {
        let hold = this.#hold.get(key);
        if (!hold?.startsWith(name)) {
          hold = `${name}${++this.#n}`;
          this.#hold.set(key, hold);
        }
        this.moments.push({ hold, mm, tid, time: batch.acquired[i] as number, vma, named: null });
      } else if (batch.kind[i] === VlKind.L_COPIED) {
        const time = batch.time[i] as number;
        const under = this.#hold.get(key);
        const known = under?.startsWith(name) === true;
        const hold = known ? (under as string) : `${name}${++this.#n}`;
        this.#hold.set(key, hold);
        if (!known) this.moments.push({ hold, mm, tid, time, vma: null, named: vma });
        this.moments.push({ hold, mm, tid, time, vma, named: null });
      }
    }
  }
}
