// SPDX-License-Identifier: MIT
/** Ordinary swap faults, counted in the kernel by process, cgroup and device (`struct vl_counted`), as user-side rows. */
import type { EventBatch } from '../core/events/batch.js';
import { CountedField, NO_DEVICE, pushRow, UserKind } from '../core/events/user-rows.js';
import { VlCounted, VlCountedLimit } from '../schema/events.gen.js';
import type { CommTable } from './names/comms.js';

const WORDS = VlCounted.size >>> 2;
const KEY = VlCounted.key >>> 2;
const CGROUP = VlCounted.cgroup >>> 2;
const FAULTS = VlCounted.faults >>> 2;
const NS = VlCounted.ns >>> 2;
const READS = VlCounted.reads >>> 2;
const COMM = VlCounted.comm >>> 2;
const HIST = VlCounted.hist >>> 2;
const HIGH = 2 ** 32;
const { ROWS, BUCKETS } = VlCountedLimit;
/** Rows one entry adds at most. */
const MOST = BUCKETS + 2;

/** Of a batch for `emit`: the more, the seldomer it is handed on. */
export const COUNTED_BATCH = 4096;

export class CountedReader {
  readonly #words: Uint32Array;
  /** What was handed on. */
  readonly #sent: Uint32Array;
  #comms: CommTable;
  #from = 0;

  /** `view`: the values of the `counted` map. */
  constructor(view: ArrayBufferLike, comms: CommTable) {
    this.#words = new Uint32Array(view, 0, ROWS * WORDS);
    this.#sent = new Uint32Array(ROWS * WORDS);
    this.#comms = comms;
  }

  /** The table of the source's next batches. */
  renewStrings(comms: CommTable): void {
    this.#comms = comms;
  }

  /**
   * Appends what has come since, as far as `batch` has room, and goes on from there at the next call. Returns whether it
   * came to the end. The kernel counts on meanwhile: what an entry is read too early for comes with the next call, or, with
   * `last` once no program runs any more, with this one.
   */
  emit(batch: EventBatch, time: number, last = false): boolean {
    const room = batch.kind.length - MOST;
    let slot = this.#from;
    for (; slot < ROWS; slot++) {
      const at = slot * WORDS;
      if (last ? !this.#differs(at) : this.#words[at + FAULTS] === this.#sent[at + FAULTS]) continue;
      if (batch.length > room) break;
      this.#entry(batch, time, at);
    }
    this.#from = slot < ROWS ? slot : 0;
    return this.#from === 0;
  }

  #differs(at: number): boolean {
    for (let w = at + FAULTS; w < at + WORDS; w++) if (this.#words[w] !== this.#sent[w]) return true;
    return false;
  }

  #entry(batch: EventBatch, time: number, at: number): void {
    const words = this.#words;
    const sent = this.#sent;
    // Read first: what is added to the histogram from here on makes it differ again.
    sent[at + FAULTS] = Atomics.load(words, at + FAULTS);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const now = Atomics.load(words, at + HIST + bucket);
      const more = (now - (sent[at + HIST + bucket] as number)) >>> 0;
      if (more === 0) continue;
      sent[at + HIST + bucket] = now;
      this.#push(batch, time, at, bucket, more);
    }
    this.#sum(batch, time, at, NS, CountedField.Ns);
    this.#sum(batch, time, at, READS, CountedField.Reads);
  }

  #sum(batch: EventBatch, time: number, at: number, field: number, b: number): void {
    const sent = this.#sent;
    const w = at + field;
    const before = (sent[w] as number) + (sent[w + 1] as number) * HIGH;
    const now = this.#wide(w);
    if (now === before) return;
    sent[w] = now % HIGH;
    sent[w + 1] = Math.floor(now / HIGH);
    this.#push(batch, time, at, b, now - before);
  }

  /** The halves of one value, also while the lower one runs over. */
  #wide(w: number): number {
    for (;;) {
      const high = Atomics.load(this.#words, w + 1);
      const low = Atomics.load(this.#words, w);
      if (Atomics.load(this.#words, w + 1) === high) return high * HIGH + low;
    }
  }

  #push(batch: EventBatch, time: number, at: number, b: number, value: number): void {
    const words = this.#words;
    const row = batch.length;
    const device = (words[at + KEY] as number) - 1;
    pushRow(batch, UserKind.Counted, time, device === VlCountedLimit.NO_DEVICE ? NO_DEVICE : device, b, value);
    batch.tgid[row] = words[at + KEY + 1] as number;
    batch.cgroup[row] = (words[at + CGROUP] as number) + (words[at + CGROUP + 1] as number) * HIGH;
    batch.comm[row] = this.#comms.id(
      words[at + COMM] as number,
      words[at + COMM + 1] as number,
      words[at + COMM + 2] as number,
      words[at + COMM + 3] as number,
    );
  }
}
