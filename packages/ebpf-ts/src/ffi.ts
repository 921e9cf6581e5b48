// SPDX-License-Identifier: MIT
/** The only file that imports koffi. libbpf is loaded on first use, so that a machine without it gets an error, not a crash. */
import { closeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import koffi from 'koffi';
import { BpfError, errnoError } from './errors.js';
import { LIBBPF, LIBC } from './signatures.js';

/** A C pointer: koffi gives addresses as BigInt, NULL as null. */
export type Pointer = bigint | null;
type Arg = Pointer | number | boolean | string | Uint8Array;
type Returned<Signature extends string> = Signature extends `void *${string}`
  ? Pointer
  : Signature extends `const char *${string}`
    ? string
    : Signature extends `bool ${string}`
      ? boolean
      : number;
type Calls<Table> = { readonly [Name in keyof Table]: (...args: Arg[]) => Returned<Table[Name] & string> };
export type Libc = Calls<typeof LIBC>;
export type Libbpf = Calls<typeof LIBBPF>;

type Library = ReturnType<typeof koffi.load>;

/** Functions are looked up when they are first called. `absent` says what it means that one is not there. */
function bind<Table extends Readonly<Record<string, string>>>(
  library: Library,
  table: Table,
  absent: (name: string, cause: unknown) => Error,
): Calls<Table> {
  const calls = {};
  for (const [name, signature] of Object.entries(table)) {
    Object.defineProperty(calls, name, {
      configurable: true,
      get(): unknown {
        let call: unknown;
        try {
          call = library.func(signature);
        } catch (cause) {
          throw absent(/(\w+)\(/.exec(signature)?.[1] ?? name, cause);
        }
        Object.defineProperty(calls, name, { value: call });
        return call;
      },
    });
  }
  return calls as Calls<Table>;
}

let libcTable: Libc | undefined;
let libbpfTable: Libbpf | undefined;

/** libc's calls this binding needs. */
export function libc(): Libc {
  libcTable ??= bind(
    koffi.load('libc.so.6'),
    LIBC,
    (name, cause) =>
      new BpfError({ what: `call ${name}`, why: 'the C library lacks it', remedy: 'use glibc' }, { cause }),
  );
  return libcTable;
}

function openLibbpf(): Library {
  try {
    return koffi.load('libbpf.so.1');
  } catch (cause) {
    let why = 'libbpf.so.1 is not installed';
    try {
      koffi.load('libbpf.so.0');
      why = 'only libbpf 0.x is installed; 1.0 or later is needed';
    } catch {
      // neither: the first error stands
    }
    throw new BpfError(
      { what: 'load libbpf', why, remedy: 'install it (Debian, Ubuntu: libbpf1; Fedora, Alpine: libbpf)' },
      { cause },
    );
  }
}

/** libbpf 1.x. Throws `BpfError` when it is not installed or is older than 1.0. */
export function libbpf(): Libbpf {
  if (libbpfTable) return libbpfTable;
  const table: Libbpf = bind(
    openLibbpf(),
    LIBBPF,
    (name, cause) =>
      new BpfError(
        { what: `call ${name}`, why: `libbpf ${table.versionString()} lacks it`, remedy: 'install a newer libbpf' },
        { cause },
      ),
  );
  capturePrint(table);
  libbpfTable = table;
  return table;
}

/** Calls libbpf in a thread of the pool. It holds the process open until it returns, so it must be a call that does. */
export function callAside(name: keyof Libbpf, ...args: Arg[]): Promise<void> {
  const call = libbpf()[name] as unknown as { async(...args: unknown[]): void };
  return new Promise((resolve) => call.async(...args, () => resolve()));
}

/** A C function whose result is a number; a bigint beyond 2^53. */
export type ForeignFunction = (...args: (number | bigint | Uint8Array)[]) => number | bigint;

/**
 * A function of another C library; null where the library or the function is not there. `library`: as dlopen(3) takes it.
 * `signature`: as C declares it. It may read and write the memory of arrays that it is given, until it returns.
 */
export function foreignFunction(library: string, signature: string): ForeignFunction | null {
  try {
    return koffi.load(library).func(signature);
  } catch {
    return null;
  }
}

const LOG_LINES = 400;
const LOG_BYTES = 32 * 2 ** 20;
/** LIBBPF_DEBUG: libbpf says hundreds of lines of these for every object. */
const DEBUG = 2;
/** Bytes of what a `va_list` argument points at: x86-64 and AAPCS64 both pass the address of a structure, of 24 and 32 bytes. */
const VA_LIST = 32;
const logLines: string[] = [];
let below = DEBUG;

/** For tests: keeps what libbpf says of its own work too (LIBBPF_DEBUG). */
export function keepDebug(on: boolean): void {
  below = on ? DEBUG + 1 : DEBUG;
}
let logBytes = 0;

/**
 * libbpf's messages go into a bounded list and from there into errors: never to a terminal that is being drawn on.
 * A message with the verifier's log in it has any length, and formatting it uses up the arguments: they are put back for a
 * second time with room enough. libbpf has one print function for the whole process, and one that belongs to a thread of
 * JavaScript must not outlive it: in a worker libbpf is silent, and errors there carry no log.
 */
function capturePrint(lib: Libbpf): void {
  if (!isMainThread) {
    lib.setPrint(null);
    return;
  }
  const Print = koffi.proto('int ebpf_ts_print_fn(int level, void *format, void *args)');
  const callback = koffi.register((level: number, format: bigint, args: bigint): number => {
    if (level >= below) return 0;
    const list = new Uint8Array(viewOf(args, VA_LIST));
    const before = list.slice();
    let out = Buffer.alloc(4096);
    let length = libc().vsnprintf(out, out.length, format, args);
    if (length >= out.length) {
      list.set(before);
      out = Buffer.alloc(Math.min(length + 1, LOG_BYTES));
      length = libc().vsnprintf(out, out.length, format, args);
    }
    const line = out.toString('utf8', 0, Math.max(0, Math.min(length, out.length - 1))).trimEnd();
    logLines.push(line);
    logBytes += line.length;
    while ((logLines.length > LOG_LINES && below === DEBUG) || (logBytes > LOG_BYTES && logLines.length > 1))
      logBytes -= logLines.shift()?.length ?? 0;
    return 0;
  }, koffi.pointer(Print));
  lib.setPrint(callback as unknown as bigint);
}

/** What libbpf said since the last call, oldest first; at most 400 messages, 32 MiB. */
export function takeLog(): string {
  const text = logLines.join('\n');
  logLines.length = 0;
  logBytes = 0;
  return text;
}

/** errno of the last call made through this file. */
export function lastErrno(): number {
  return koffi.errno();
}

/** `length` bytes of memory at `pointer`, without a copy. The caller sees to it that the memory outlives the view. */
export function viewOf(pointer: bigint, length: number): ArrayBuffer {
  return koffi.view(pointer, length) as ArrayBuffer;
}

/** Address of a buffer's memory. The buffer must be kept alive while C holds the address. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer) as bigint;
}

/** By their text: koffi takes each name once in a process. */
const prototypes = new Map<string, ReturnType<typeof koffi.pointer>>();

/** A C function that calls back. It lives until `release`, and no C code may call it after that. */
export function callback(prototype: string, body: (...args: never[]) => unknown): { address: bigint; release(): void } {
  const type = prototypes.get(prototype) ?? koffi.pointer(koffi.proto(prototype));
  prototypes.set(prototype, type);
  const registered = koffi.register(body as (...args: unknown[]) => unknown, type);
  return { address: koffi.address(registered) as bigint, release: () => koffi.unregister(registered) };
}

const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of the same, which is the caller's to close. Throws `BpfError`. */
export function duplicate(fd: number, what: string): number {
  const own = libc().fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (own < 0) throw errnoError(what, lastErrno());
  return own;
}

/**
 * Calls back when what `fd` refers to is readable, without holding the process open; returns what ends it.
 * The event loop watches a descriptor of its own: one that somebody closes meanwhile, and that then names something else,
 * would confuse it.
 */
export function pollReadable(fd: number, onReadable: () => void): () => void {
  const own = duplicate(fd, 'wait for a descriptor');
  const handle = koffi.node.poll(own, { readable: true }, onReadable);
  handle.unref();
  return () => {
    handle.close();
    setImmediate(() => closeSync(own));
  };
}
