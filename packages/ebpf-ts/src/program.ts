// SPDX-License-Identifier: MIT
/** One program of an object: whether it is loaded, where it is attached, what it cost. */
import { errnoError } from './errors.js';
import { addressOf, lastErrno, libbpf, type Pointer, takeLog } from './ffi.js';

/** A program's account as the kernel keeps it. */
export interface ProgramAccount {
  readonly id: number;
  /** ns and runs while statistics were on (`enableStats`). */
  readonly runTimeNs: number;
  readonly runCount: number;
  /** Runs the kernel skipped, because the program already ran on that CPU. */
  readonly recursionMisses: number;
}

/** An attached program. Closing detaches. */
export class BpfLink {
  #handle: Pointer;
  constructor(handle: bigint) {
    this.#handle = handle;
  }
  close(): void {
    if (this.#handle !== null) libbpf().linkDestroy(this.#handle);
    this.#handle = null;
  }

  /** Detaches in a thread of the pool: on kernels before 7.x each one waits for an RCU-tasks grace period, 0.1 s at least. */
  closeAside(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    if (handle === null) return Promise.resolve();
    return new Promise((resolve) => libbpf().linkDestroy.async(handle, () => resolve()));
  }
}

// struct bpf_prog_info, include/uapi/linux/bpf.h
const INFO = { size: 232, id: 4, runTime: 192, runCount: 200, misses: 208 } as const;
// struct bpf_kprobe_multi_opts, libbpf.h
const MULTI = { size: 48, syms: 8, count: 32, retprobe: 40 } as const;

export class BpfProgram {
  readonly handle: bigint;
  readonly name: string;
  readonly #info: Buffer = Buffer.alloc(INFO.size);
  readonly #infoLength: Buffer = Buffer.alloc(4);

  constructor(handle: bigint) {
    this.handle = handle;
    this.name = libbpf().programName(handle);
  }

  /** Before load: whether `BpfObject.load()` loads this program. */
  setAutoload(on: boolean): void {
    libbpf().setAutoload(this.handle, on as unknown as number);
  }

  /** After load; negative when the program was not loaded. */
  get fd(): number {
    return libbpf().programFd(this.handle);
  }

  /** By the section's name: fentry, fexit, tp_btf. Throws `BpfError`. */
  attach(): BpfLink {
    takeLog();
    return this.#link(libbpf().attach(this.handle));
  }

  /** At functions by name, entry or return. Throws `BpfError`. */
  attachKprobeMulti(symbols: readonly string[], options: { retprobe: boolean }): BpfLink {
    const names = symbols.map((symbol) => Buffer.from(`${symbol}\0`));
    const pointers = Buffer.alloc(8 * names.length);
    names.forEach((name, i) => {
      pointers.writeBigUInt64LE(addressOf(name), 8 * i);
    });
    const opts = Buffer.alloc(MULTI.size);
    opts.writeBigUInt64LE(BigInt(MULTI.size), 0);
    opts.writeBigUInt64LE(addressOf(pointers), MULTI.syms);
    opts.writeBigUInt64LE(BigInt(names.length), MULTI.count);
    opts.writeUInt8(options.retprobe ? 1 : 0, MULTI.retprobe);
    takeLog();
    const link = this.#link(libbpf().attachKprobeMulti(this.handle, null, opts));
    names.length = 0; // keeps the buffers alive until here
    return link;
  }

  /** Throws `BpfError`. */
  account(): ProgramAccount {
    this.#info.fill(0);
    this.#infoLength.writeUInt32LE(INFO.size);
    const rc = libbpf().infoByFd(this.fd, this.#info, this.#infoLength);
    if (rc < 0) throw errnoError(`read the account of ${this.name}`, -rc);
    return {
      id: this.#info.readUInt32LE(INFO.id),
      runTimeNs: Number(this.#info.readBigUInt64LE(INFO.runTime)),
      runCount: Number(this.#info.readBigUInt64LE(INFO.runCount)),
      recursionMisses: Number(this.#info.readBigUInt64LE(INFO.misses)),
    };
  }

  #link(handle: Pointer): BpfLink {
    if (handle === null) throw errnoError(`attach ${this.name}`, lastErrno(), { log: takeLog() });
    return new BpfLink(handle);
  }
}
