// SPDX-License-Identifier: MIT
/** A program where it is attached. */
import { closeSync, readSync } from 'node:fs';
import { cString, type OWN, onlyOurs } from './arguments.js';
import type { Attachment } from './attach.js';
import { errnoError, misuse } from './errors.js';
import { callAside, libbpf, type Pointer } from './ffi.js';
import { infoOf, type ProgramAccount } from './kernel-info.js';
import type { Lifetime } from './lifetime.js';
import { descriptor } from './map-source.js';
import { say } from './words.js';

/** `enum bpf_link_type` of include/uapi/linux/bpf.h, those that count what they missed. */
const PERF_EVENT = 7;
const KPROBE_MULTI = 8;
/** struct bpf_link_info: type, id, prog_id; then by type. */
const INFO = { size: 128, multiMissed: 32, perfType: 16, perfMissed: 48 } as const;
/** `enum bpf_perf_event_type`: BPF_PERF_EVENT_KPROBE, BPF_PERF_EVENT_KRETPROBE */
const KPROBES: ReadonlySet<number> = new Set([3, 4]);

export interface LinkInfo {
  readonly id: number;
  readonly programId: number;
  /** Number of `enum bpf_link_type`. */
  readonly type: number;
  /** Hits of the probe that did not run the program (kernel 6.7); null where the kernel keeps no such count for this kind. */
  readonly missed: number | null;
}

export interface LinkAccount extends ProgramAccount {
  /** `LinkInfo.missed` */
  readonly missed: number | null;
}

/** An attached program. Closing detaches; closing its object closes it. */
export class BpfLink {
  readonly name: string;
  readonly #life: Lifetime;
  /** @internal libbpf keeps part of it with the object (USDT's specifications): it ends before the object does. */
  readonly ofObject: boolean;
  #handle: Pointer;
  /** Of a link that the kernel made and libbpf has no structure for. */
  #fd: number | null;
  /** Whether the kernel keeps count of what this link missed; null: not asked yet. */
  #counts: boolean | null = null;
  readonly #program: { account(): ProgramAccount } | null;

  /** @internal */
  constructor(
    key: typeof OWN,
    name: string,
    life: Lifetime,
    link: Attachment,
    program: { account(): ProgramAccount } | null,
  ) {
    onlyOurs(key, 'BpfLink', 'use program.attach()');
    this.name = name;
    this.#program = program;
    this.#life = life;
    this.#handle = 'handle' in link ? link.handle : null;
    this.#fd = 'fd' in link ? link.fd : null;
    this.ofObject = 'ofObject' in link;
    life.dependents.add(this);
  }

  get closed(): boolean {
    return this.#handle === null && this.#fd === null;
  }

  /** The descriptor, which stays the link's. Throws `BpfError` after close. */
  get fd(): number {
    if (this.#fd !== null) return this.#fd;
    if (this.#handle === null) throw misuse('ERR_BPF_CLOSED', `use ${this.name}`, 'the link is closed');
    return libbpf().linkFd(this.#handle);
  }

  /** Throws `BpfError` when the attachment is no link of the kernel's, as with perf events before 5.15. */
  info(): LinkInfo {
    const view = infoOf(this.fd, INFO.size, `look at ${this.name}`);
    const type = view.getUint32(0, true);
    return { type, id: view.getUint32(4, true), programId: view.getUint32(8, true), missed: missed(view, type) };
  }

  /**
   * Runs, run time and misses. The kernel keeps runs and their time by program: links of one program share them, and a link of
   * its own takes a program of its own. Throws `BpfError`, also for struct_ops, which have several programs.
   */
  account(): LinkAccount {
    if (this.#program === null)
      throw misuse('ERR_BPF_TYPE', `read the account of ${this.name}`, 'it has no program of its own');
    const missed = this.#counts === false ? null : this.info().missed;
    this.#counts = missed !== null;
    return { ...this.#program.account(), missed };
  }

  /** Keeps it attached, under a path of a bpf file system, when this process ends. Throws `BpfError`. */
  pin(path: string): void {
    const what = say`pin ${this.name} to ${path}`;
    const rc =
      this.#handle !== null
        ? libbpf().linkPin(this.#handle, cString(path, what))
        : libbpf().objPin(this.fd, cString(path, what));
    if (rc < 0) throw errnoError(what, -rc);
  }

  /** Of an iterator: runs it from the start; gives what it writes, in pieces of at most 64 KiB. Throws `BpfError`. */
  *read(): Generator<Buffer> {
    const what = `run ${this.name}`;
    const fd = descriptor(libbpf().iterCreate(this.fd), what);
    try {
      for (;;) {
        const piece = Buffer.alloc(65536);
        const length = readSync(fd, piece);
        if (length === 0) return;
        yield piece.subarray(0, length);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Of an iterator: all it writes, as text. Throws `BpfError`. */
  text(): string {
    return Buffer.concat([...this.read()]).toString('utf8');
  }

  /** Detaches. May be called again. */
  close(): void {
    this.#life.dependents.delete(this);
    const handle = this.#handle;
    const fd = this.#fd;
    this.#handle = null;
    this.#fd = null;
    if (handle !== null) libbpf().linkDestroy(handle);
    if (fd !== null) closeSync(fd);
  }
  [Symbol.dispose](): void {
    this.close();
  }

  /** Detaches in a thread of the pool: on kernels before 7.x each one waits for an RCU-tasks grace period, 0.1 s at least. */
  closeAside(): Promise<void> {
    const handle = this.#handle;
    if (handle === null || this.ofObject) {
      this.close();
      return Promise.resolve();
    }
    this.#life.dependents.delete(this);
    this.#handle = null;
    return callAside('linkDestroy', handle);
  }
}

/** Kernels before 6.7 leave the count zero without having counted; they also do not fill in the size of what they know. */
function missed(view: DataView, type: number): number | null {
  if (type === KPROBE_MULTI) return Number(view.getBigUint64(INFO.multiMissed, true));
  if (type === PERF_EVENT && KPROBES.has(view.getUint32(INFO.perfType, true)))
    return Number(view.getBigUint64(INFO.perfMissed, true));
  return null;
}
