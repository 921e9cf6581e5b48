// SPDX-License-Identifier: MIT
/**
 * Capabilities and user, given up by every thread of the process.
 *
 * capset(2) and prctl(2) act on the calling thread alone, and V8 and libuv have some ten threads that started with what the
 * process had. What glibc does for setuid(2) (nptl(7), "C library/kernel differences") is done here for all of them: each
 * thread is sent a signal, and its handler makes the calls. The signal is the one glibc uses for that purpose, since it
 * alone is never blocked: pthread_sigmask(3) leaves it out, and Node has a thread that blocks all others.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { CALLS_CODE, SYSCALLS } from './arch.js';
import { integer, listOf } from './arguments.js';
import { BpfError, errnoError } from './errors.js';
import { addressOf, lastErrno, libc, viewOf } from './ffi.js';
import { bytes, MAP_ANONYMOUS, MAP_FAILED, MAP_PRIVATE, PROT_READ, PROT_WRITE, pageSize } from './memory.js';

/** linux/capability.h: those that a tracer may want to keep. */
export const Capability = { DacReadSearch: 2, Kill: 5, SysPtrace: 19 } as const;

const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const PR_SET_DUMPABLE = 4;
const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
/** SIGSETXID of glibc. */
const SIGNAL = 33;
const SA_RESTART = 0x1000_0000n;
const SA_RESTORER = 0x0400_0000n;
/** The kernel's struct sigaction: handler, flags, restorer, a mask of 64 signals. */
const SIGACTION_BYTES = 32;
const MASK_BYTES = 8;
const PROT_EXEC = 4;
/** Where in the page the table of calls begins; what they read of ours begins at `DATA`. */
const DATA = 2048;
/** A thread that waits in the kernel takes no signal meanwhile. */
const PATIENCE_MS = 20_000;

export interface Surrender {
  /** Numbers of linux/capability.h. What was not held is not gained by being kept. */
  readonly keep?: readonly number[];
  /** Whom to become, without supplementary groups; null: it stays who it is. Takes CAP_SETUID and CAP_SETGID. */
  readonly become?: { readonly uid: number; readonly gid: number } | null;
}

interface ThreadState {
  readonly comm: string;
  /** Permitted, effective, ambient or inheritable. */
  readonly held: bigint;
  readonly noNewPrivileges: boolean;
  /** Real, effective, saved and of the file system. */
  readonly uids: readonly number[];
}

/**
 * By thread id, as kill(2) takes it: where /proc is mounted from a PID namespace above, it has other numbers for them. One
 * that ends meanwhile is left out.
 */
function threads(): Map<number, ThreadState> {
  const found = new Map<number, ThreadState>();
  for (const tid of readdirSync('/proc/self/task')) {
    let status: string;
    try {
      status = readFileSync(`/proc/self/task/${tid}/status`, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH') continue;
      throw error;
    }
    const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
    const held = ['CapPrm', 'CapEff', 'CapAmb', 'CapInh'].reduce((bits, name) => bits | BigInt(`0x${field(name)}`), 0n);
    const noNewPrivileges = field('NoNewPrivs') === '1';
    // Of each namespace from that of /proc to its own; absent without CONFIG_PID_NS.
    const own = field('NSpid').split('\t').at(-1) || tid;
    found.set(Number(own), { comm: field('Name'), held, noNewPrivileges, uids: field('Uid').split('\t').map(Number) });
  }
  return found;
}

/** Threads of this process that hold a capability not among `allowed`, or may gain one by executing a program: `tid comm`. */
export function privilegedThreads(allowed: readonly number[] = []): string[] {
  const bits = bitsOf(allowed);
  return [...threads()]
    .filter(([, { held, noNewPrivileges }]) => (held & ~bits) !== 0n || !noNewPrivileges)
    .map(([tid, { comm }]) => `${tid} ${comm}`);
}

/**
 * Gives up every capability but those in `keep`, in every thread, and the right to gain any (no_new_privs), which is
 * inherited by what is started from then on; becomes another user where that is asked for. Nobody of the same user may look
 * into the process afterwards (PR_SET_DUMPABLE).
 *
 * Throws `BpfError` when a thread does not come to it within 20 s, or on an architecture other than x86-64 and arm64: the
 * process is then to end.
 */
export function dropCapabilities({ keep = [], become = null }: Surrender = {}): void {
  const kept = (threads().get(process.pid)?.held ?? 0n) & bitsOf(keep);
  const isLeft = ({ held, noNewPrivileges, uids }: ThreadState): boolean =>
    (held & ~kept) !== 0n || !noNewPrivileges || (become !== null && uids.some((uid) => uid !== become.uid));
  libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const before = setHandler(writeHandler(kept, become));
  const asked = new Set<number>();
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = [...threads()].filter(([, thread]) => isLeft(thread));
    if (left.length === 0) break;
    // The handler stays where it is: a signal may still be on its way to it.
    if (performance.now() > until)
      throw new BpfError({
        what: 'drop capabilities',
        why: `threads did not: ${left.map(([tid, { comm }]) => `${tid} ${comm}`).join(', ')}`,
        remedy: '',
      });
    for (const [tid] of left) {
      if (asked.has(tid)) continue;
      asked.add(tid);
      libc().syscall(SYSCALLS.tgkill, process.pid, BigInt(tid), SIGNAL, 0, 0);
    }
    Atomics.wait(nap, 0, 0, 1);
  }
  swapAction(before);
}

function bitsOf(capabilities: readonly number[]): bigint {
  return listOf(capabilities, 'keep capabilities').reduce(
    (bits, capability) => bits | (1n << BigInt(integer(capability, 0, 63, 'keep capabilities'))),
    0n,
  );
}

interface Handler {
  readonly address: bigint;
  readonly restorer: bigint;
}

/** The handler, in a page of its own that is not writable any more and stays for good. */
function writeHandler(kept: bigint, become: Surrender['become']): Handler {
  const code = CALLS_CODE[process.arch];
  if (code === undefined)
    throw new BpfError({ what: 'drop capabilities', why: `not known how to on ${process.arch}`, remedy: '' });
  const size = pageSize();
  const page = libc().mmap(null, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page === null || page === MAP_FAILED) throw errnoError('drop capabilities: mmap', lastErrno());
  const memory = viewOf(page, size);
  const text = Buffer.from(code.text, 'hex');
  new Uint8Array(memory).set(text);
  const at = page + BigInt(DATA);
  // Header of capset(2), its data (effective, permitted, inheritable: the low halves first), and a list of one group.
  const [low, high] = [Number(kept & 0xffff_ffffn), Number(kept >> 32n)];
  const data = [LINUX_CAPABILITY_VERSION_3, 0, low, low, 0, high, high, 0, become?.gid ?? 0];
  new Uint32Array(memory, DATA, data.length).set(data);
  const calls: (number | bigint)[][] = [[SYSCALLS.prctl, PR_SET_NO_NEW_PRIVS, 1]];
  if (become) {
    const { uid, gid } = become;
    // setuid(2) from 0 takes all that is permitted, unless told otherwise; what is to be kept is chosen below.
    calls.push([SYSCALLS.prctl, PR_SET_KEEPCAPS, 1], [SYSCALLS.setgroups, 1, at + 32n]);
    calls.push([SYSCALLS.setresgid, gid, gid, gid], [SYSCALLS.setresuid, uid, uid, uid]);
  }
  calls.push([SYSCALLS.capset, at, at + 8n], [-1]);
  const words = calls.flatMap((call) => Array.from({ length: 6 }, (_, i) => BigInt(call[i] ?? 0)));
  new BigInt64Array(memory, text.length, words.length).set(words);
  if (libc().mprotect(page, size, PROT_READ | PROT_EXEC) !== 0)
    throw errnoError('drop capabilities: mprotect', lastErrno());
  return { address: page, restorer: page + BigInt(code.restorer) };
}

function setHandler({ address, restorer }: Handler): Uint8Array {
  const action = bytes(SIGACTION_BYTES);
  new BigUint64Array(action.buffer, action.byteOffset, 4).set([address, SA_RESTART | SA_RESTORER, restorer, 0n]);
  return swapAction(action);
}

/** rt_sigaction(2) itself: libc's does not let anybody have this signal. Returns what was there. */
function swapAction(action: Uint8Array): Uint8Array {
  const before = bytes(SIGACTION_BYTES);
  if (libc().syscall(SYSCALLS.rtSigaction, SIGNAL, action, addressOf(before), MASK_BYTES, 0) !== 0)
    throw errnoError('drop capabilities: rt_sigaction', lastErrno());
  return before;
}
