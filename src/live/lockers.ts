// SPDX-License-Identifier: MIT
/** What tasks hold and await of mmap_locks that others queue for, at this moment: `lockers` and `queues` of bpf/lockers.bpf.h, read from mapped memory. */
import { readFileSync } from 'node:fs';
import type { EventBatch } from '../core/events/batch.js';
import { UserArgs, UserKind } from '../core/events/user-rows.js';

/** `struct locker` and `struct lock_hold` of bpf/lockers.bpf.h: where fields lie, in u32 words. */
export const LOCKER = {
  words: 40,
  fields: { pid: 0, tid: 1, tgid: 2, asked: 4, mm: 6, syscall: 8, flags: 9, queue: 10, held: 14, file: 30 },
} as const;
export const LOCK_HOLD = { words: 8, fields: { mm: 0, since: 2, file: 4, syscall: 6, flags: 7 } } as const;
const AT = LOCKER.fields;
const HOLD = LOCK_HOLD.fields;
/** `held[2]` */
const HELD = [AT.held, AT.held + LOCK_HOLD.words] as const;
const HIGH = 2 ** 32;
/** Rows of one sample at most: those that began first. */
export const MAX_LOCK_ROWS = 64;

interface Found {
  readonly tid: number;
  readonly tgid: number;
  readonly mm: number;
  readonly since: number;
  readonly syscall: number;
  readonly flags: number;
  readonly file: string;
  readonly waits: boolean;
}

export class LockersReader {
  readonly #lockers: Uint32Array;
  readonly #queues: Uint32Array;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  #strings: string[];
  #ids: Map<string, number> = new Map();

  /** `lockers`: the map's values. `queues`: the array of that name in .bss. `base`: CLOCK_MONOTONIC ns that are time 0. */
  constructor(lockers: ArrayBuffer, queues: Uint32Array, base: bigint, strings: string[]) {
    this.#lockers = new Uint32Array(lockers);
    this.#queues = queues;
    this.#baseLow = Number(base & 0xffff_ffffn);
    this.#baseHigh = Number(base >> 32n);
    this.#strings = strings;
  }

  /** A new list of strings: see `EventDecoder.renewStrings`. */
  renewStrings(strings: string[]): void {
    this.#strings = strings;
    this.#ids = new Map();
  }

  /** Appends a row for each, of `time`; none where nobody queues, which costs a look at 4096 words. */
  emit(batch: EventBatch, time: number): void {
    if (!this.#queues.some((waiting) => waiting !== 0)) return;
    const found = this.#found();
    const awaited = new Set(found.filter(({ waits }) => waits).map(({ mm }) => mm));
    found
      .filter(({ mm }) => awaited.has(mm))
      .sort((x, y) => x.since - y.since)
      .slice(0, MAX_LOCK_ROWS)
      .forEach((row) => {
        this.#push(batch, time, row);
      });
  }

  #found(): Found[] {
    const words = this.#lockers;
    const out: Found[] = [];
    for (let at = 0; at < words.length; at += LOCKER.words) {
      if (words[at + AT.pid] === 0) continue;
      const who = { tid: words[at + AT.tid] as number, tgid: words[at + AT.tgid] as number };
      if (words[at + AT.queue] !== 0)
        out.push({
          ...who,
          mm: this.#wide(at + AT.mm),
          since: this.#time(at + AT.asked),
          syscall: words[at + AT.syscall] as number,
          flags: words[at + AT.flags] as number,
          file: this.#text(at + AT.file),
          waits: true,
        });
      for (const offset of HELD) {
        const hold = at + offset;
        const low = words[hold + HOLD.mm] as number;
        if ((low | (words[hold + HOLD.mm + 1] as number)) === 0) continue;
        // `queue_of` of bpf/lockers.bpf.h: bits 6 to 17 and 18 to 29, all of the low word.
        if (this.#queues[((low >>> 6) ^ (low >>> 18)) & (this.#queues.length - 1)] === 0) continue;
        out.push({
          ...who,
          mm: this.#wide(hold + HOLD.mm),
          since: this.#time(hold + HOLD.since),
          syscall: words[hold + HOLD.syscall] as number,
          flags: words[hold + HOLD.flags] as number,
          file: this.#text(hold + HOLD.file),
          waits: false,
        });
      }
    }
    return out;
  }

  #wide(at: number): number {
    return (this.#lockers[at + 1] as number) * HIGH + (this.#lockers[at] as number);
  }

  /** `char file[8]` of a lock_hold or a locker. */
  #text(at: number): string {
    const bytes = Buffer.from(this.#lockers.buffer, this.#lockers.byteOffset + 4 * at, 8);
    const end = bytes.indexOf(0);
    return bytes.toString('latin1', 0, end < 0 ? 8 : end);
  }

  #time(at: number): number {
    return (
      ((this.#lockers[at + 1] as number) - this.#baseHigh) * HIGH + ((this.#lockers[at] as number) - this.#baseLow)
    );
  }

  #push(batch: EventBatch, time: number, row: Found): void {
    const i = batch.length++;
    batch.kind[i] = UserKind.Lock;
    batch.flags[i] = row.flags;
    batch.cpu[i] = 0;
    batch.tid[i] = row.tid;
    batch.fault[i] = 0;
    batch.faultCpu[i] = 0;
    batch.step[i] = 0;
    batch.time[i] = time;
    batch[UserArgs.Lock.syscall][i] = row.syscall;
    batch[UserArgs.Lock.isWaiting][i] = row.waits ? 1 : 0;
    batch.tgid[i] = row.tgid;
    batch.comm[i] = this.#comm(row.tgid);
    batch.acquired[i] = row.since;
    batch.mm[i] = row.mm;
    batch.file[i] = this.#id(row.file);
    batch.value[i] = 0;
  }

  /** The process's name as it is now: it is there, for it holds or awaits a lock. '' where /proc does not show it. */
  #comm(tgid: number): number {
    let name = '';
    try {
      name = readFileSync(`/proc/${tgid}/comm`, 'utf8').trimEnd();
    } catch {
      // Gone since, or of another PID namespace.
    }
    return this.#id(name);
  }

  #id(text: string): number {
    if (text === '') return 0;
    let id = this.#ids.get(text);
    if (id === undefined) {
      id = this.#strings.push(text) - 1;
      this.#ids.set(text, id);
    }
    return id;
  }
}
