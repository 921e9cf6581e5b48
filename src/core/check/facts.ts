// SPDX-License-Identifier: MIT
/** What the rules must know of a session: its kernel, its flags by name, its hooks. */
import { type FaultBits, faultBits } from '../events/fault-bits.js';
import type { SessionInfo } from '../events/session.js';
import { type Arch, archOf } from '../vocabulary/arch.js';

export interface Facts {
  readonly session: SessionInfo;
  /** major * 1000 + minor: 6012 for 6.12; 0 when the release string says nothing. */
  readonly kernel: number;
  readonly bits: FaultBits;
  /** `FAULT_FLAG_*` without the prefix; 0 where this kernel has no such flag. */
  flag(name: string): number;
  attached(target: string): boolean;
  /** VMA-lock releases are seen, each of them: the lock is an rw_semaphore (6.4 to 6.14) whose up_read is hooked. */
  readonly exact: boolean;
  /** Null where its PTEs and fault handler are not known. */
  readonly arch: Arch | null;
}

export const version = (major: number, minor: number): number => major * 1000 + minor;

export function kernelVersion(release: string): number {
  const match = /^(\d+)\.(\d+)/.exec(release);
  return match === null ? 0 : version(Number(match[1]), Number(match[2]));
}

export function factsOf(session: SessionInfo): Facts {
  const kernel = kernelVersion(session.kernel);
  // A recording of an older version lists its hooks, too; a program that stands on a target is proof enough.
  const hooked = new Set(session.hooks.filter((hook) => hook.attached).map((hook) => hook.target));
  const flags = new Map(
    Object.entries(session.enums.faultFlags).map(([k, bit]) => [k.replace('FAULT_FLAG_', ''), bit]),
  );
  return {
    session,
    kernel,
    bits: faultBits(session),
    flag: (name) => flags.get(name) ?? 0,
    attached: (target) => hooked.has(target),
    exact:
      session.release === 'observed' && hooked.has('up_read') && kernel >= version(6, 4) && kernel <= version(6, 14),
    arch: archOf(session.arch),
  };
}
