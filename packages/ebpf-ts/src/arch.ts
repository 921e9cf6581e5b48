// SPDX-License-Identifier: MIT
/** What differs between the architectures this binding runs on. */

export interface Syscalls {
  readonly bpf: number;
  readonly capset: number;
  readonly perfEventOpen: number;
  readonly pidfdOpen: number;
  readonly membarrier: number;
  readonly mlock2: number;
  readonly rtSigaction: number;
  readonly tgkill: number;
  readonly setresuid: number;
  readonly setresgid: number;
  readonly setgroups: number;
  readonly prctl: number;
}

/** arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h (arm64). */
const TABLE: Readonly<Record<string, Syscalls>> = {
  x64: {
    bpf: 321,
    capset: 126,
    perfEventOpen: 298,
    pidfdOpen: 434,
    membarrier: 324,
    mlock2: 325,
    rtSigaction: 13,
    tgkill: 234,
    setresuid: 117,
    setresgid: 119,
    setgroups: 116,
    prctl: 157,
  },
  arm64: {
    bpf: 280,
    capset: 91,
    perfEventOpen: 241,
    pidfdOpen: 434,
    membarrier: 283,
    mlock2: 284,
    rtSigaction: 134,
    tgkill: 131,
    setresuid: 147,
    setresgid: 149,
    setgroups: 159,
    prctl: 167,
  },
};

/** -1 where the architecture is not known: the kernel answers ENOSYS. */
export const SYSCALLS: Syscalls = TABLE[process.arch] ?? {
  bpf: -1,
  capset: -1,
  perfEventOpen: -1,
  pidfdOpen: -1,
  membarrier: -1,
  mlock2: -1,
  rtSigaction: -1,
  tgkill: -1,
  setresuid: -1,
  setresgid: -1,
  setgroups: -1,
  prctl: -1,
};

/** Machine code in hexadecimal, and where in it `restorer` begins: sa_restorer of rt_sigaction(2). The table is read behind it. */
export interface CallsCode {
  readonly text: string;
  readonly restorer: number;
}

/**
 * A signal handler that makes system calls, one after another: of each, the table has the number and five arguments, 8 bytes
 * each; a negative number ends it. No JavaScript may run in a signal handler, and no function of libc has this form. A test
 * holds the bytes to what an assembler makes of test/calls-*.s.
 */
export const CALLS_CODE: Readonly<Record<string, CallsCode>> = {
  x64: {
    text:
      '488d1d31000000488b034885c0781c488b7b08488b7310488b53184c8b53204c8b43280f054883c330ebdcc3' +
      'b80f0000000f050f1f440000',
    restorer: 44,
  },
  arm64: {
    text: '89010010280140f9e800f8b7208540a9228d41a9241540f9010000d429c10091f9ffff17c0035fd6' + '681180d2010000d4',
    restorer: 40,
  },
};
