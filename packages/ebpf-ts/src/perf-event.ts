// SPDX-License-Identifier: MIT
/** perf_event_open(2), as far as attaching a BPF program to an event takes it. */

import { SYSCALLS } from './arch.js';
import { integer, optionsOf } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { addressOf, lastErrno, libc } from './ffi.js';
import { bytes } from './memory.js';
import { shown } from './words.js';

/** PERF_TYPE_*, PERF_COUNT_*: include/uapi/linux/perf_event.h */
const SOFTWARE = {
  'cpu-clock': 0,
  'task-clock': 1,
  'page-faults': 2,
  'context-switches': 3,
  'cpu-migrations': 4,
} as const;
const HARDWARE = { cycles: 0, instructions: 1, 'cache-references': 2, 'cache-misses': 3, 'branch-misses': 5 } as const;

export interface PerfEvent {
  readonly event: keyof typeof SOFTWARE | keyof typeof HARDWARE;
  /** Samples a second; or give a period. */
  readonly frequency?: number;
  /** Events from one sample to the next. */
  readonly period?: number;
  /** One event is of one CPU, or follows one task over all CPUs (-1, with a pid). */
  readonly cpu: number;
  /** -1: whatever runs on that CPU. */
  readonly pid?: number;
}

const ATTR_SIZE = 128;
const FLAG_FREQ = 1n << 10n;
const PERF_FLAG_FD_CLOEXEC = 8;

/** A descriptor of the event, not enabled yet. Throws `BpfError`. */
export function perfEventOpen(options: PerfEvent, what: string): number {
  const { event, frequency, period, cpu, pid = -1 } = optionsOf(options, what);
  integer(cpu, -1, 2 ** 20, `${what}: cpu`);
  integer(pid, -1, 2 ** 22, `${what}: pid`);
  if ((frequency === undefined) === (period === undefined))
    throw misuse('ERR_BPF_TYPE', what, 'give a frequency or a period');
  const events = { ...SOFTWARE, ...HARDWARE };
  if (typeof event !== 'string' || !Object.hasOwn(events, event))
    throw misuse('ERR_BPF_TYPE', what, `no event ${shown(event)}`);
  const software = event in SOFTWARE;
  const config = events[event];
  const attr = bytes(ATTR_SIZE);
  const view = new DataView(attr.buffer, attr.byteOffset);
  view.setUint32(0, software ? 1 : 0, true);
  view.setUint32(4, ATTR_SIZE, true);
  view.setBigUint64(8, BigInt(config), true);
  view.setBigUint64(16, BigInt(integer(frequency ?? period ?? 1, 1, Number.MAX_SAFE_INTEGER, what)), true);
  view.setBigUint64(40, frequency === undefined ? 0n : FLAG_FREQ, true);
  const fd = Number(
    libc().syscall(
      SYSCALLS.perfEventOpen,
      addressOf(attr),
      BigInt.asUintN(64, BigInt(pid)),
      BigInt.asUintN(64, BigInt(cpu)),
      BigInt.asUintN(64, -1n),
      PERF_FLAG_FD_CLOEXEC,
    ),
  );
  if (fd < 0) throw errnoError(`${what}: open ${event}`, lastErrno());
  return fd;
}
