// SPDX-License-Identifier: MIT
/** Signals held back in this thread while the kernel verifies: what it verifies is given up when one is pending. */
import { libc } from './ffi.js';
import { bytes } from './memory.js';

/** glibc's sigset_t; the kernel's is its first 8 bytes. */
const SIGSET = 128;
const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
/** SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV: what a thread does to itself is never held back. */
const OWN = [4, 5, 6, 7, 8, 11];

/**
 * Runs `body` with every other signal of this thread held back until it returns: do_check() of kernel/bpf/verifier.c answers
 * EAGAIN when one is pending, libbpf tries five times, and a profiler sends SIGPROF a thousand times a second. What is sent to the
 * process and not to the thread goes to another of Node's threads meanwhile, which does not interrupt the verifier.
 */
export function withSignalsHeld<T>(body: () => T): T {
  const held = bytes(SIGSET).fill(0xff, 0, 8);
  const before = bytes(SIGSET);
  for (const signal of OWN) held[(signal - 1) >> 3] = (held[(signal - 1) >> 3] as number) & ~(1 << ((signal - 1) & 7));
  // sigprocmask() is of the calling thread on Linux, as pthread_sigmask() is, which older C libraries keep in libpthread.
  const changed = libc().sigprocmask(SIG_BLOCK, held, before) === 0;
  try {
    return body();
  } finally {
    if (changed) libc().sigprocmask(SIG_SETMASK, before, null);
  }
}
