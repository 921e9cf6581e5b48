// SPDX-License-Identifier: MIT
/** One program of an object: whether it is loaded, where it is attached, what it cost. */

import { closeSync } from 'node:fs';
import { copyOf, cString, integer, OWN, onlyOurs, optionsOf } from './arguments.js';
import * as by from './attach.js';
import { byIter, type IterTarget } from './attach-iter.js';
import { byCgroup, byTcx, byXdp } from './attach-net.js';
import { errnoError, misuse } from './errors.js';
import { addressOf, duplicate, libbpf, takeLog } from './ffi.js';
import { infoOf, type ProgramAccount } from './kernel-info.js';
import { handleOf, handles, type Lifetime } from './lifetime.js';
import { BpfLink } from './link.js';
import { bytes } from './memory.js';
import type { PerfEvent } from './perf-event.js';
import { withSignalsHeld } from './signals.js';
import { say } from './words.js';

// struct bpf_prog_info, include/uapi/linux/bpf.h
const INFO = { size: 232, id: 4, runTime: 192, runCount: 200, misses: 208 } as const;

/** A handle of it may be used while its object is open; `attach…` throws `BpfError` when the object is not loaded. */
export class BpfProgram {
  readonly name: string;
  /** The SEC() it was declared with. */
  readonly section: string;
  readonly #life: Lifetime;

  /** @internal */
  constructor(key: typeof OWN, handle: bigint, life: Lifetime) {
    onlyOurs(key, 'BpfProgram', 'use object.program()');
    handles.set(this, handle);
    this.#life = life;
    this.name = libbpf().programName(handle);
    this.section = libbpf().programSection(handle);
  }

  /** Before load: whether `BpfObject.load()` loads this program. */
  setAutoload(on: boolean): void {
    this.#life.beforeLoad(`choose whether ${this.name} is loaded`);
    libbpf().setAutoload(handleOf(this), Boolean(on));
  }

  /**
   * Before load: the function of a fentry, fexit or freplace program, in place of its section's. It is one of the kernel's, or
   * of the loaded program `of`: the program itself by its name, or a function of its. Throws `BpfError`.
   */
  setAttachTarget(name: string, of?: BpfProgram): void {
    const what = `set the target of ${this.name}`;
    this.#life.beforeLoad(what);
    const function_ = cString(name, what);
    let target = 0;
    if (of !== undefined) {
      if (typeof of !== 'object' || of === null || !(#life in of))
        throw misuse('ERR_BPF_TYPE', what, say`expected a BpfProgram, got ${of}`);
      // libbpf keeps its number until load: that it goes on to name this program is seen to by one of our own.
      const own = duplicate(of.#fd(what), what);
      this.#life.dependents.add({ close: () => closeSync(own) });
      target = own;
    }
    takeLog();
    const rc = libbpf().programSetTarget(handleOf(this), target, function_);
    if (rc < 0) throw errnoError(what, -rc, { log: takeLog() });
  }

  /** Before load: types by number (`BPF_PROG_TYPE_*`, `BPF_*` attach types) for a section libbpf does not know. Throws `BpfError`. */
  setType(type: number, attachType?: number): void {
    const what = `set the type of ${this.name}`;
    this.#life.beforeLoad(what);
    let rc = libbpf().programSetType(handleOf(this), integer(type, 0, 1024, what));
    if (rc >= 0 && attachType !== undefined)
      rc = libbpf().programSetAttachType(handleOf(this), integer(attachType, 0, 1024, what));
    if (rc < 0) throw errnoError(what, -rc);
  }

  /** Whether load loaded it. False before load and after close. */
  get loaded(): boolean {
    return this.#life.stage === 'loaded' && libbpf().programFd(handleOf(this)) >= 0;
  }

  /** The descriptor, which stays the program's: never close it. Throws `BpfError` when it is not loaded. */
  get fd(): number {
    return this.#fd(`use the descriptor of ${this.name}`);
  }

  /** By the section's name: fentry, fexit, tp_btf, kprobe/…, tracepoint/…, lsm/…, iter/…, uprobe/…, usdt/…. Throws `BpfError`. */
  attach(): BpfLink {
    return this.#link(`attach ${this.name}`, by.byProgram);
  }
  /** fentry, fexit, tp_btf, lsm, with a cookie (kernel 5.19). Throws `BpfError`. */
  attachTrace(options: by.Cookie = {}): BpfLink {
    return this.#link(`attach ${this.name}`, by.byTrace(options));
  }
  /** At one function. Throws `BpfError`. */
  attachKprobe(name: string, options: by.KprobeOptions = {}): BpfLink {
    return this.#link(say`attach ${this.name} to ${name}`, by.byKprobe(name, options));
  }
  /** At functions by name or by a pattern with `*` and `?`, entry or return. Throws `BpfError`. */
  attachKprobeMulti(symbols: readonly string[] | string, options: by.KprobeMultiOptions = {}): BpfLink {
    return this.#link(`attach ${this.name}`, by.byKprobeMulti(symbols, options));
  }
  /**
   * At the entry and the return of functions, by one program that may refuse the return (kernel 6.12). The program is
   * declared SEC("kprobe.session"), or, for a libbpf before 1.5, set so: `setType(2, 56)`. Throws `BpfError`.
   */
  attachKprobeSession(symbols: readonly string[], options: { readonly cookies?: readonly bigint[] } = {}): BpfLink {
    return this.#link(`attach ${this.name}`, by.byKprobeSession(symbols, options));
  }
  /** At a function of an executable or library. Throws `BpfError`. */
  attachUprobe(options: by.UprobeOptions): BpfLink {
    return this.#link(
      say`attach ${this.name} to ${optionsOf(options, `attach ${this.name}`).path}`,
      by.byUprobe(options),
    );
  }
  /** At a static probe of an executable or library (SEC("usdt")). Throws `BpfError`. */
  attachUsdt(options: by.UsdtOptions): BpfLink {
    return this.#link(
      say`attach ${this.name} to ${optionsOf(options, `attach ${this.name}`).path}`,
      by.byUsdt(options),
    );
  }
  /** At a tracepoint of tracefs, such as `sched`, `sched_switch`. Throws `BpfError`. */
  attachTracepoint(category: string, name: string, options: by.Cookie = {}): BpfLink {
    return this.#link(say`attach ${this.name} to ${category}:${name}`, by.byTracepoint(category, name, options));
  }
  /** At a tracepoint by its name alone, with the arguments the kernel passes (SEC("raw_tp")). Throws `BpfError`. */
  attachRawTracepoint(name: string): BpfLink {
    return this.#link(say`attach ${this.name} to ${name}`, by.byRawTracepoint(name));
  }
  /** At samples of one event on one CPU (SEC("perf_event")). Throws `BpfError`. */
  attachPerfEvent(event: PerfEvent, options: by.Cookie = {}): BpfLink {
    return this.#link(
      say`attach ${this.name} to ${optionsOf(event, `attach ${this.name}`).event}`,
      by.byPerfEvent(event, options),
    );
  }
  /** To a cgroup v2 directory; the attach type is the section's. Throws `BpfError`. */
  attachCgroup(path: string): BpfLink {
    return this.#link(say`attach ${this.name} to ${path}`, byCgroup(path));
  }
  /** To a network interface by name or index. Throws `BpfError`. */
  attachXdp(device: string | number): BpfLink {
    return this.#link(say`attach ${this.name} to ${device}`, byXdp(device));
  }
  /** To a network interface's traffic control (SEC("tc"); kernel 6.6). Throws `BpfError`. */
  attachTcx(device: string | number, direction: 'ingress' | 'egress'): BpfLink {
    return this.#link(say`attach ${this.name} to ${device}`, byTcx(device, direction));
  }
  /** An iterator: `link.read()` runs it. Over everything of its kind, or over a part of it. Throws `BpfError`. */
  attachIter(target: IterTarget = {}): BpfLink {
    return this.#link(`attach ${this.name}`, byIter(target));
  }

  /**
   * BPF_PROG_TEST_RUN: runs the program once, where its type allows it (networking, tracing with `ctx`, `SEC("syscall")`).
   * The kernel writes at most as many bytes of a packet as `outSize`. Throws `BpfError`.
   */
  testRun(input: { readonly data?: Uint8Array; readonly ctx?: Uint8Array; readonly outSize?: number } = {}): {
    readonly returned: number;
    readonly data: Uint8Array;
  } {
    const what = `run ${this.name}`;
    const fd = this.#fd(what);
    const given = optionsOf(input, what);
    const data = given.data && copyOf(given.data, `${what}: data`);
    const ctx = given.ctx && copyOf(given.ctx, `${what}: ctx`);
    const out = bytes(integer(given.outSize ?? 0, 0, 2 ** 24, `${what}: outSize`));
    // struct bpf_test_run_opts: sz, data_in, data_out, size_in, size_out, ctx_in, ctx_out, ctx size in, out, retval
    const opts = bytes(80);
    const view = new DataView(opts.buffer, opts.byteOffset);
    view.setBigUint64(0, 80n, true);
    if (data !== undefined && data.length > 0) view.setBigUint64(8, addressOf(data), true);
    if (out.length > 0) view.setBigUint64(16, addressOf(out), true);
    view.setUint32(24, data?.length ?? 0, true);
    view.setUint32(28, out.length, true);
    if (ctx !== undefined && ctx.length > 0) view.setBigUint64(32, addressOf(ctx), true);
    view.setUint32(48, ctx?.length ?? 0, true);
    const rc = withSignalsHeld(() => libbpf().testRun(fd, opts));
    if (rc < 0) throw errnoError(what, -rc);
    const written = Math.min(view.getUint32(28, true), out.length);
    return { returned: view.getUint32(56, true), data: out.subarray(0, written) };
  }

  /** Throws `BpfError`. */
  account(): ProgramAccount {
    const what = `read the account of ${this.name}`;
    const view = infoOf(this.#fd(what), INFO.size, what);
    return {
      id: view.getUint32(INFO.id, true),
      runTimeNs: Number(view.getBigUint64(INFO.runTime, true)),
      runCount: Number(view.getBigUint64(INFO.runCount, true)),
      recursionMisses: Number(view.getBigUint64(INFO.misses, true)),
    };
  }

  #fd(what: string): number {
    this.#life.afterLoad(what);
    const fd = libbpf().programFd(handleOf(this));
    if (fd < 0) throw misuse('ERR_BPF_STATE', what, 'load left the program out (setAutoload)');
    return fd;
  }

  #link(what: string, attach: (program: bigint, what: string) => by.Attachment): BpfLink {
    this.#fd(what);
    return new BpfLink(OWN, `${this.name}'s link`, this.#life, attach(handleOf(this), what), this);
  }
}
