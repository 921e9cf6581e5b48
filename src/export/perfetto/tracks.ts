// SPDX-License-Identifier: MIT
/** Tracks by task, described when they are first used. */
import { ProcessNames } from '../../core/events/process-names.js';
import {
  CounterDescriptor,
  ProcessDescriptor,
  putMessage,
  putString,
  putVarint,
  ThreadDescriptor,
  TrackDescriptor,
} from './fields.js';
import type { Packets } from './packets.js';

/** Descriptors may be written again, so what is known of tasks may be forgotten: memory stays bounded. */
const MAX_TRACKS = 65_536;

/** High byte of a track's uuid; below it depth, tgid and tid (PID_MAX_LIMIT is 2^22, so 24 bits each). */
const KIND = {
  process: 1n,
  thread: 2n,
  locks: 3n,
  nested: 4n,
  writer: 5n,
  vmas: 6n,
  counter: 7n,
  session: 8n,
} as const;

function uuid(kind: bigint, tgid: number, tid: number, depth = 0): bigint {
  return (kind << 56n) | (BigInt(depth & 0xff) << 48n) | (BigInt(tgid) << 24n) | BigInt(tid);
}

const CHILDREN = {
  locks: 'locks held',
  nested: 'nested faults',
  writer: 'mmap_lock for write',
  vmas: 'write-locking VMAs',
} as const;

export class Tracks {
  readonly #packets: Packets;
  /** Those written so far, and with which name: a task met as a holder has none until it is met again. */
  #described: Map<bigint, string> = new Map();
  readonly #names: ProcessNames = new ProcessNames();
  #processes: Map<number, number> = new Map();

  constructor(packets: Packets) {
    this.#packets = packets;
  }

  /** Notes which process a thread belongs to, and its name, '' not known; 0 is not known. */
  seen(tid: number, tgid: number, comm: string): void {
    if (tgid === 0) return;
    this.#names.thread(tgid, tid, comm);
    if (this.#processes.size >= MAX_TRACKS) this.#processes = new Map();
    this.#processes.set(tid, tgid);
  }

  thread(tid: number, comm: string): bigint {
    const tgid = this.#processes.get(tid) ?? 0;
    const id = uuid(KIND.thread, tgid, tid);
    const process = uuid(KIND.process, tgid, 0);
    if (tgid !== 0) this.#process(process, tgid, comm);
    if (!this.#isNew(id, comm)) return id;
    // A thread whose process is not known cannot be described as one: its descriptor needs both.
    if (tgid === 0) {
      this.#packets.track(id, null, `${comm || 'thread'} ${tid} (process not known)`);
      return id;
    }
    this.#packets.track(id, process, null, (w) => {
      putMessage(w, TrackDescriptor.thread, () => {
        putVarint(w, ThreadDescriptor.pid, tgid);
        putVarint(w, ThreadDescriptor.tid, tid);
        if (comm !== '') putString(w, ThreadDescriptor.thread_name, comm);
      });
    });
    return id;
  }

  /** A track below a thread's own: what happens there need not nest with the rest. */
  child(of: keyof typeof CHILDREN, tid: number, comm: string, depth = 0): bigint {
    const parent = this.thread(tid, comm);
    const id = uuid(KIND[of], this.#processes.get(tid) ?? 0, tid, depth);
    if (this.#isNew(id)) this.#packets.track(id, parent, CHILDREN[of]);
    return id;
  }

  counter(index: number, name: string, unit: number): bigint {
    const id = uuid(KIND.counter, 0, index);
    if (this.#isNew(id)) {
      this.#packets.track(id, null, name, (w) => {
        putMessage(w, TrackDescriptor.counter, () => putVarint(w, CounterDescriptor.unit, unit));
      });
    }
    return id;
  }

  /** Where the recording itself, and what it lost, is marked. */
  session(): bigint {
    const id = uuid(KIND.session, 0, 0);
    if (this.#isNew(id)) this.#packets.track(id, null, 'vmalocktop: recording and losses');
    return id;
  }

  /** Until its leader is heard of it goes by the thread seen first. */
  #process(id: bigint, tgid: number, comm: string): void {
    const name = this.#names.of(tgid, this.#described.get(id) || comm);
    if (!this.#isNew(id, name, true)) return;
    this.#packets.track(id, null, null, (w) => {
      putMessage(w, TrackDescriptor.process, () => {
        putVarint(w, ProcessDescriptor.pid, tgid);
        if (name !== '') putString(w, ProcessDescriptor.process_name, name);
      });
    });
  }

  /** Not written yet, or without a name; with `again` also under another one. */
  #isNew(id: bigint, name = '-', again = false): boolean {
    const before = this.#described.get(id);
    if (before !== undefined && (name === '' || before === name || (before !== '' && !again))) return false;
    if (this.#described.size >= MAX_TRACKS) this.#described = new Map();
    this.#described.set(id, name);
    return true;
  }
}
