// SPDX-License-Identifier: MIT
/** Stacks the kernel kept by id (BPF_MAP_TYPE_STACK_TRACE), as rows of named frames. */
import type { EventBatch } from '../../core/events/batch.js';
import { pushUserRow } from '../../core/events/user-rows.js';
import { stackIdOf } from '../../core/lifecycle/stack-id.js';
import { VlArgs, VlKind, VlStepFlag } from '../../schema/events.gen.js';
import type { Symbols } from '../../symbols/symbols.js';
import { TextPool } from './strings.js';

/** As much of a `BpfMap` as this takes. */
export interface StackMap {
  get(key: Uint8Array): Uint8Array | undefined;
}

export class StackReader {
  readonly #map: StackMap;
  readonly #symbols: Symbols;
  readonly #key: Uint32Array<ArrayBuffer> = new Uint32Array(1);

  constructor(map: StackMap, symbols: Symbols) {
    this.#map = map;
    this.#symbols = symbols;
  }

  /**
   * The frames of stack `id`, innermost first, as `Symbols` words them; empty when the kernel has no stack of that id.
   * null: names are still being read, ask again; never with `final`, which takes what is known by now.
   * `tgid` names the process of a user stack (a thread's id does as well) and does not matter for a kernel one.
   * Throws `BpfError` when the map cannot be read.
   */
  resolve(id: number, kernel: boolean, tgid: number, final = false): string[] | null {
    if (stackIdOf(id) < 0) return [];
    const addresses = this.#addresses(id);
    if (addresses.length === 0) return [];
    if (!kernel) return this.#symbols.user(tgid, addresses, final);
    const frames = this.#symbols.kernel(addresses, final);
    return frames && withoutTracer(frames);
  }

  /** Has what the names of a user stack take read in the background, as far as it is not: its process may end any moment. */
  prepare(id: number, tgid: number): void {
    this.#symbols.prepare(tgid, this.#addresses(id));
  }

  /** Resolves when no names are being read any more, at the latest after `ms`. */
  settle(ms: number): Promise<void> {
    return this.#symbols.settle(ms);
  }

  #addresses(id: number): bigint[] {
    this.#key[0] = id;
    const value = this.#map.get(new Uint8Array(this.#key.buffer));
    if (value === undefined) return [];
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const addresses: bigint[] = [];
    for (let at = 0; at + 8 <= value.length; at += 8) {
      const address = view.getBigUint64(at, true);
      if (address === 0n) break;
      addresses.push(address);
    }
    return addresses;
  }
}

/** A stack taken by fentry or fexit begins in our own program and the trampoline that called it: no part of the fault. */
function withoutTracer(frames: string[]): string[] {
  const first = frames.findIndex((frame) => !frame.endsWith(' [bpf]'));
  return first <= 0 ? frames : frames.slice(first);
}

/** A user stack whose names are still missing after this is shown with what is known; the kernel's come, however late. */
const PATIENCE_MS = 5000;
/** Time one call of `emit` may take: the ring fills meanwhile. */
const BUDGET_MS = 2;
/** Different frames that get a name; a place in the code counts as one for each offset. */
const MAX_FRAMES = 32_768;
/** Of a batch full of new stacks, those that can be looked into at once; the others wait for `emit`. */
const EAGER_MS = 1;
/** What is read says what is to be read next: mappings, their files, and how their names are demangled. */
const ROUNDS = 4;
/** Direct-mapped by tid; a thread whose slot another one took is found in /proc by its own id. */
const THREADS = 1 << 14;

interface Pending {
  readonly kernel: boolean;
  readonly tgid: number;
  readonly since: number;
}

/** Which stacks were taken. */
export interface StackKinds {
  readonly kernel: boolean;
  readonly user: boolean;
}

/** Sees to it that each stack id that turns up in the rows of a source is followed once by its `UserKind.Frame` rows. */
export class StackRows {
  /** Stacks asked for that could not be taken: none could be walked, or the map was full at its slot. */
  failed: { kernel: number; user: number } = { kernel: 0, user: 0 };
  readonly #reader: StackReader;
  readonly #texts: TextPool;
  readonly #kinds: StackKinds;
  readonly #seen: Set<number> = new Set();
  readonly #pending: Map<number, Pending> = new Map();
  #eagerUntil = 0;
  readonly #tids: Uint32Array = new Uint32Array(THREADS);
  readonly #tgids: Uint32Array = new Uint32Array(THREADS);

  /** `strings`: those of the source's batches. */
  constructor(reader: StackReader, strings: string[], kinds: StackKinds) {
    this.#reader = reader;
    this.#texts = new TextPool(strings, MAX_FRAMES);
    this.#kinds = kinds;
  }

  /** The list of the source's next batches. */
  renewStrings(strings: string[]): void {
    this.#texts.renew(strings);
  }

  /** Ids seen whose frames have not been handed on. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Takes note of the stack ids in a batch of kernel rows, from row `from` on. The sooner, the likelier the process still lives. */
  note(batch: EventBatch, from = 0): void {
    const { kind, flags, tid, tgid, kernelStack, userStack } = batch;
    const { [VlArgs.STACK.kernel]: kernel, [VlArgs.STACK.user]: user } = batch;
    this.#eagerUntil = performance.now() + EAGER_MS;
    for (let i = from; i < batch.length; i++) {
      const k = kind[i] as number;
      const thread = tid[i] as number;
      if (((flags[i] as number) & VlStepFlag.INFO) !== 0) {
        this.#tids[thread % THREADS] = thread;
        this.#tgids[thread % THREADS] = tgid[i] as number;
      }
      if (k === VlKind.STACK) this.#both(kernel[i] as number, user[i] as number, thread);
      else if (k === VlKind.W_ACQUIRED)
        this.#both((kernelStack[i] as number) >>> 0, (userStack[i] as number) >>> 0, thread);
    }
  }

  /**
   * Appends the frames of stacks whose names are known by now: of each all or, when there is no room in `batch` (which must have
   * that for a whole stack, 127 rows, when empty), none yet.
   * Takes a few milliseconds at most. `last`: no other call comes, so nothing is waited for. Returns the rows added.
   */
  emit(batch: EventBatch, time: number, last = false): number {
    const before = batch.length;
    const now = performance.now();
    for (const [id, pending] of [...this.#pending]) {
      const { kernel, tgid, since } = pending;
      const frames = this.#reader.resolve(id, kernel, tgid, last || (!kernel && now - since > PATIENCE_MS));
      if (frames !== null && frames.length > batch.kind.length - batch.length) break;
      // Those that still wait go to the end of the line.
      this.#pending.delete(id);
      if (frames === null) this.#pending.set(id, pending);
      else this.#push(batch, time, id, kernel, frames);
      if (!last && performance.now() - now > BUDGET_MS) break;
    }
    return batch.length - before;
  }

  /** Resolves when the names of all that waits are read, at the latest after `ms`; then `emit` with `last`. */
  async settle(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (let round = 0; round < ROUNDS && this.#await(); round++) {
      const left = end - performance.now();
      if (left <= 0) return;
      await this.#reader.settle(left);
    }
  }

  /** Asks for the names of all that waits: what came last may not have been looked into. Is there some that has none yet? */
  #await(): boolean {
    const waits = [...this.#pending].map(([id, { kernel, tgid }]) => this.#reader.resolve(id, kernel, tgid) === null);
    return waits.includes(true);
  }

  #push(batch: EventBatch, time: number, id: number, kernel: boolean, frames: readonly string[]): void {
    if (frames.length === 0) this.failed[kernel ? 'kernel' : 'user']++;
    frames.forEach((frame, i) => {
      pushUserRow(batch, 'Frame', time, { stack: id, index: i, isKernel: kernel ? 1 : 0 });
      batch.comm[batch.length - 1] = this.#texts.id(frame);
    });
  }

  #both(kernelId: number, userId: number, tid: number): void {
    if (this.#kinds.kernel) this.#one(kernelId, true, tid);
    if (this.#kinds.user) this.#one(userId, false, tid);
  }

  #one(id: number, kernel: boolean, tid: number): void {
    if (stackIdOf(id) < 0) {
      this.failed[kernel ? 'kernel' : 'user']++;
      return;
    }
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const tgid = this.#tids[tid % THREADS] === tid ? (this.#tgids[tid % THREADS] as number) : tid;
    this.#pending.set(id, { kernel, tgid, since: performance.now() });
    if (!kernel && performance.now() < this.#eagerUntil) this.#reader.prepare(id, tgid);
  }
}
