// SPDX-License-Identifier: MIT
/** The PID and time namespaces of this process: what its pids and its clock are to the kernel, which counts in the initial ones. */
import { readFileSync, statSync } from 'node:fs';
import { errorCode } from '../errors.js';

/**
 * Whose pids the user sees: those that /proc shows.
 * `below`: how many levels this process's own namespace is below that one; 0 is the same, as in a container.
 */
export type PidNamespace =
  | { readonly initial: true }
  | { readonly initial: false; readonly below: number }
  | { readonly initial: null; readonly error: string };

export interface Namespaces {
  readonly pid: PidNamespace;
  /** CLOCK_MONOTONIC as this process reads it minus that of the kernel (bpf_ktime_get_ns), ns. */
  readonly monotonicAheadNs: bigint;
}

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the inode of the initial PID namespace, the same in every kernel. */
const INITIAL_PID_INODE = 0xeffffffc;

/** A process's numbers from the namespace that /proc shows to its own, by NSpid of /proc/PID/status; null without that line. */
function nsPids(status: string): number[] | null {
  return /^NSpid:((?:\s+\d+)+)$/m.exec(status)?.[1]?.trim().split(/\s+/).map(Number) ?? null;
}

/** Levels from the namespace that /proc shows to the process's own; null where its status does not say. */
export function parseNsPid(status: string): number | null {
  const pids = nsPids(status);
  return pids === null ? null : pids.length - 1;
}

/** A process's number in its own namespace; null where nothing is said of a number. */
export function innermostPid(status: string): number | null {
  // Without CONFIG_PID_NS there is one namespace.
  const pid = nsPids(status)?.at(-1) ?? /^Pid:\s+(\d+)$/m.exec(status)?.[1];
  return pid === undefined ? null : Number(pid);
}

/** ns by which CLOCK_MONOTONIC is ahead of the kernel's, by /proc/self/timens_offsets (time_namespaces(7)). */
export function parseTimeOffsets(text: string): bigint {
  const found = /^monotonic\s+(-?\d+)\s+(\d+)$/m.exec(text);
  return found === null ? 0n : BigInt(found[1] ?? 0) * 1_000_000_000n + BigInt(found[2] ?? 0);
}

/**
 * Of the process whose directory `self` is. A kernel without CONFIG_PID_NS has neither ns/pid nor NSpid in status
 * (task_state() of fs/proc/array.c): all its pids are of the one namespace there is.
 */
export function pidNamespace(self: string = '/proc/self'): PidNamespace {
  try {
    const below = parseNsPid(readFileSync(`${self}/status`, 'utf8'));
    const inode = statSync(`${self}/ns/pid`, { throwIfNoEntry: false })?.ino;
    if (inode === INITIAL_PID_INODE || (inode === undefined && below === null)) return { initial: true };
    if (inode === undefined) return { initial: null, error: `${self}/ns/pid: ENOENT` };
    return below === null ? { initial: null, error: `no NSpid in ${self}/status` } : { initial: false, below };
  } catch (error) {
    return { initial: null, error: `${self}: ${errorCode(error) ?? String(error)}` };
  }
}

export function namespaces(): Namespaces {
  let offsets = '';
  try {
    offsets = readFileSync('/proc/self/timens_offsets', 'utf8');
  } catch {
    // built without CONFIG_TIME_NS
  }
  return { pid: pidNamespace(), monotonicAheadNs: parseTimeOffsets(offsets) };
}
