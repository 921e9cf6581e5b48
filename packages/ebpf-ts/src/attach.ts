// SPDX-License-Identifier: MIT
/** The ways to attach a program to what runs: functions, tracepoints, events, iterators. */
import { closeSync } from 'node:fs';
import { cString, integer, listOf, optionsOf, unsigned64 } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { addressOf, lastErrno, libbpf, type Pointer, takeLog } from './ffi.js';
import { bytes } from './memory.js';
import { Opts } from './opts.js';
import { type PerfEvent, perfEventOpen } from './perf-event.js';
import { bpf } from './system.js';

/** PID_MAX_LIMIT of include/linux/threads.h. */
export const MAX_PID: number = 2 ** 22;

export interface Cookie {
  /** u64 that the program reads with bpf_get_attach_cookie(). */
  readonly cookie?: bigint;
}
export interface KprobeOptions extends Cookie {
  /** Run at the function's return. Kernels before 6.14 lose returns when many tasks sleep in the function. */
  readonly retprobe?: boolean;
  /** Bytes from the function's start; 0. */
  readonly offset?: number;
}
export interface KprobeMultiOptions {
  readonly retprobe?: boolean;
  /** One per symbol. */
  readonly cookies?: readonly bigint[];
}
export interface UprobeOptions extends Cookie {
  /** An executable or library by path, or by its soname (`libc.so.6`). */
  readonly path: string;
  /** A function by name, or leave it out and give an offset into the file. */
  readonly function?: string;
  /** Bytes from the function's start, or from the file's; 0. */
  readonly offset?: number;
  /** Only in that process; -1 for every one. */
  readonly pid?: number;
  readonly retprobe?: boolean;
}
export interface UsdtOptions extends Cookie {
  readonly path: string;
  readonly provider: string;
  readonly name: string;
  readonly pid?: number;
}

/** A libbpf link, one whose destruction needs its object (USDT), or a link of the kernel's that libbpf knows nothing of. */
export type Attachment = { handle: bigint; ofObject?: true } | { fd: number };
export type Attach = (program: bigint, what: string) => Attachment;

/** What C holds addresses of during a call. libbpf's messages run JavaScript in it, and so may the garbage collector. */
let lent: readonly unknown[] = [];

/** Runs one attaching call; throws `BpfError` with libbpf's words when it fails. */
export function linked(what: string, call: () => Pointer, ...memory: readonly unknown[]): Attachment {
  takeLog();
  lent = memory;
  try {
    const handle = call();
    if (handle === null) throw errnoError(what, lastErrno(), { log: takeLog() });
    return { handle };
  } finally {
    lent = lent.slice(0, 0);
  }
}

export const byProgram: Attach = (program, what) => linked(what, () => libbpf().attach(program));

export const byTrace =
  (options: Cookie): Attach =>
  (program, what) => {
    const { cookie } = optionsOf(options, what);
    const opts = new Opts(16).u64(8, cookie, what);
    return linked(what, () => libbpf().attachTrace(program, opts.memory));
  };

export const byKprobe =
  (name: string, options: KprobeOptions): Attach =>
  (program, what) => {
    const { offset = 0, cookie, retprobe } = optionsOf(options, what);
    integer(offset, 0, 2 ** 31, `${what}: offset`);
    // struct bpf_kprobe_opts: sz, bpf_cookie, offset, retprobe
    const opts = new Opts(32).u64(8, cookie, what).u64(16, offset, what).u8(24, retprobe);
    return linked(what, () => libbpf().attachKprobe(program, cString(name, what), opts.memory));
  };

/** Names as C has them, an array of their addresses, and one of cookies. */
function symbolTable(given: readonly string[], givenCookies: readonly bigint[] | undefined, what: string) {
  const symbols = listOf(given, `${what}: functions`);
  const cookies = givenCookies && listOf(givenCookies, `${what}: cookies`).map((cookie) => unsigned64(cookie, what));
  if (symbols.length === 0) throw misuse('ERR_BPF_SIZE', what, 'no functions are named');
  if (cookies !== undefined && cookies.length !== symbols.length)
    throw misuse('ERR_BPF_SIZE', what, `${symbols.length} functions and ${cookies.length} cookies`);
  const names = symbols.map((symbol) => Buffer.from(`${cString(symbol, what)}\0`));
  const pointers = Buffer.from(BigUint64Array.from(names, (name) => addressOf(name)).buffer);
  return { names, pointers, cookies: cookies && Buffer.from(BigUint64Array.from(cookies).buffer) };
}

export const byKprobeMulti =
  (symbols: readonly string[] | string, options: KprobeMultiOptions): Attach =>
  (program, what) => {
    const { retprobe, cookies } = optionsOf(options, what);
    // struct bpf_kprobe_multi_opts: sz, syms, addrs, cookies, cnt, retprobe
    const opts = new Opts(48).u8(40, retprobe);
    if (typeof symbols === 'string') {
      if (cookies !== undefined) throw misuse('ERR_BPF_TYPE', what, 'a pattern takes no cookies');
      return linked(what, () => libbpf().attachKprobeMulti(program, cString(symbols, what), opts.memory));
    }
    const table = symbolTable(symbols, cookies, what);
    opts.pointer(8, table.pointers).u64(32, table.names.length, what);
    if (table.cookies !== undefined) opts.pointer(24, table.cookies);
    return linked(what, () => libbpf().attachKprobeMulti(program, null, opts.memory), opts, table);
  };

const BPF_LINK_CREATE = 28;
const BPF_TRACE_KPROBE_SESSION = 56;

/** By the system call itself: libbpf's own function for it came with 1.5. */
export const byKprobeSession =
  (symbols: readonly string[], options: { readonly cookies?: readonly bigint[] }): Attach =>
  (program, what) => {
    const { cookies } = optionsOf(options, what);
    const table = symbolTable(symbols, cookies, what);
    // union bpf_attr of BPF_LINK_CREATE: prog_fd, target_fd, attach_type, flags; kprobe_multi: flags, cnt, syms, addrs, cookies
    const attr = bytes(48);
    const view = new DataView(attr.buffer, attr.byteOffset);
    view.setUint32(0, libbpf().programFd(program), true);
    view.setUint32(8, BPF_TRACE_KPROBE_SESSION, true);
    view.setUint32(20, table.names.length, true);
    view.setBigUint64(24, addressOf(table.pointers), true);
    if (table.cookies !== undefined) view.setBigUint64(40, addressOf(table.cookies), true);
    lent = [table];
    try {
      return { fd: bpf(BPF_LINK_CREATE, attr, what) };
    } finally {
      lent = lent.slice(0, 0);
    }
  };

export const byUprobe =
  (options: UprobeOptions): Attach =>
  (program, what) => {
    const { path, function: name, offset = 0, pid = -1, retprobe, cookie } = optionsOf(options, what);
    integer(offset, 0, Number.MAX_SAFE_INTEGER, `${what}: offset`);
    integer(pid, -1, MAX_PID, `${what}: pid`);
    // struct bpf_uprobe_opts: sz, ref_ctr_offset, bpf_cookie, retprobe, func_name
    const opts = new Opts(40).u64(16, cookie, what).u8(24, retprobe);
    if (name !== undefined) opts.string(32, name, what);
    return linked(what, () => libbpf().attachUprobe(program, pid, cString(path, what), offset, opts.memory), opts);
  };

export const byUsdt =
  (options: UsdtOptions): Attach =>
  (program, what) => {
    const { path, provider, name, pid = -1, cookie } = optionsOf(options, what);
    integer(pid, -1, MAX_PID, `${what}: pid`);
    const opts = new Opts(16).u64(8, cookie, what);
    const [p, q, r] = [path, provider, name].map((text) => cString(text, what)) as [string, string, string];
    const link = linked(what, () => libbpf().attachUsdt(program, pid, p, q, r, opts.memory));
    return { ...link, ofObject: true };
  };

export const byTracepoint =
  (category: string, name: string, options: Cookie): Attach =>
  (program, what) => {
    const { cookie } = optionsOf(options, what);
    const opts = new Opts(16).u64(8, cookie, what);
    const [c, n] = [cString(category, what), cString(name, what)];
    return linked(what, () => libbpf().attachTracepoint(program, c, n, opts.memory));
  };

export const byRawTracepoint =
  (name: string): Attach =>
  (program, what) =>
    linked(what, () => libbpf().attachRawTracepoint(program, cString(name, what)));

export const byPerfEvent =
  (event: PerfEvent, options: Cookie): Attach =>
  (program, what) => {
    const { cookie } = optionsOf(options, what);
    const opts = new Opts(16).u64(8, cookie, what);
    const fd = perfEventOpen(event, what);
    try {
      return linked(what, () => libbpf().attachPerfEvent(program, fd, opts.memory));
    } catch (error) {
      closeSync(fd); // once attached, libbpf closes it with the link
      throw error;
    }
  };
