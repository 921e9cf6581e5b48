// SPDX-License-Identifier: MIT
/** Names of processes (`comm` of the leader, as ps shows it), of those whose other threads turn up in the rows of a source. */
import { readFileSync } from 'node:fs';
import { type EventBatch, isWriterEvent } from '../../core/events/batch.js';
import { PID_OUTSIDE } from '../../core/events/session.js';
import { pushUserRow, UserKind } from '../../core/events/user-rows.js';
import { VlStepFlag } from '../../schema/events.gen.js';
import { TextPool } from './strings.js';

/** A name is asked for again after this: exec and PR_SET_NAME change it, and the leader itself may never be seen. */
const AGAIN_MS = 10_000;
/** Processes remembered; beyond, all are forgotten and asked for once more. */
const MAX_PROCESSES = 16_384;
/** Names with a place in the list of strings. */
const MAX_NAMES = 16_384;
/** Time one batch may take; a read takes some 10 µs, and a process that is left out is read when it turns up again. */
const BUDGET_MS = 2;
/** After a clock reading so many reads are made unasked. */
const READS = 16;

/** Throws, or returns '', where there is no such process or /proc does not show it (hidepid). */
export type ReadName = (tgid: number) => string;

const readComm: ReadName = (tgid) => readFileSync(`/proc/${tgid}/comm`, 'utf8').replace(/\n$/, '');

interface Known {
  name: string;
  /** ms, when it was read last. */
  read: number;
}

export class ProcessRows {
  readonly #texts: TextPool;
  readonly #read: ReadName;
  readonly #known: Map<number, Known> = new Map();
  /** Read, and not handed on yet. */
  readonly #ready: Map<number, string> = new Map();

  /** `strings`: those of the source's batches. */
  constructor(strings: string[], read: ReadName = readComm) {
    this.#texts = new TextPool(strings, MAX_NAMES);
    this.#read = read;
  }

  /** The list of the source's next batches. */
  renewStrings(strings: string[]): void {
    this.#texts.renew(strings);
  }

  /** Reads the names of processes in a batch of kernel rows, from row `from` on: the sooner, the likelier they still live. */
  note(batch: EventBatch, from = 0): void {
    const { kind, flags, tid, tgid, comm, strings, length } = batch;
    const begun = performance.now();
    let now = begun;
    let reads = 0;
    for (let i = from; i < length; i++) {
      const told = ((flags[i] as number) & VlStepFlag.INFO) !== 0 || kind[i] === UserKind.Counted;
      if (!told && !isWriterEvent(kind[i] as number)) continue;
      const process = tgid[i] as number;
      if (process === 0 || process >= PID_OUTSIDE) continue;
      if (tid[i] === process) {
        // The row itself says it.
        this.#keep(process, strings[comm[i] as number] ?? '', now);
        this.#ready.delete(process);
        continue;
      }
      const known = this.#known.get(process);
      if (known !== undefined && now - known.read < AGAIN_MS) continue;
      if (reads++ % READS === 0) now = performance.now();
      if (now - begun > BUDGET_MS) return;
      this.#ask(process, known?.name, now);
    }
  }

  /** Appends a `UserKind.Process` row for each name that is new, as far as `batch` has room. Returns the rows added. */
  emit(batch: EventBatch, time: number): number {
    const before = batch.length;
    for (const [tgid, name] of this.#ready) {
      if (batch.length >= batch.kind.length) break;
      this.#ready.delete(tgid);
      pushUserRow(batch, 'Process', time, { tgid });
      batch.comm[batch.length - 1] = this.#texts.id(name);
    }
    return batch.length - before;
  }

  #ask(tgid: number, before: string | undefined, now: number): void {
    let name = '';
    try {
      name = this.#read(tgid);
    } catch {
      // It is gone, or hidden: what was known of it still holds.
    }
    this.#keep(tgid, name === '' ? (before ?? '') : name, now);
    if (name !== '' && name !== before) this.#ready.set(tgid, name);
  }

  #keep(tgid: number, name: string, now: number): void {
    const known = this.#known.get(tgid);
    if (known !== undefined) {
      known.name = name;
      known.read = now;
      return;
    }
    if (this.#known.size >= MAX_PROCESSES) this.#known.clear();
    this.#known.set(tgid, { name, read: now });
  }
}
