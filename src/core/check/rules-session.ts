// SPDX-License-Identifier: MIT
/** Rules 17, 25 and 27: about the kernel and its devices, not about one fault. */
import { SWP_SYNCHRONOUS_IO } from '../events/fault-bits.js';
import type { SessionInfo } from '../events/session.js';
import { version } from './facts.js';
import type { Rule } from './rule.js';

export const SESSION_RULES: readonly Rule[] = [
  {
    number: 17,
    statement: 'enum fault_flag has no *LOCK_DROPPED*: that flag of an early posting was never merged.',
    hooks: [],
    sees: { name: { shows: "the name in the kernel's BTF", hooks: [] } },
    premise: 'enum fault_flag of this kernel',
  },
  {
    number: 25,
    statement: 'A swap device has SWP_SYNCHRONOUS_IO if, and only if, its block device is synchronous.',
    // Before 6.11 a block device has no BLK_FEAT_SYNCHRONOUS that could be read.
    from: version(6, 11),
    hooks: ['get_swap_device'],
    sees: { mark: { shows: "the device's flags beside its queue's features", hooks: ['get_swap_device'] } },
    premise: 'swap device whose block device says what it is',
  },
  {
    number: 27,
    statement: "perf's minor and major faults are counted at most once per exception, in its last attempt.",
    hooks: [],
    sees: {
      count: {
        shows: 'more than one count for an exception',
        hooks: [],
        never: 'no probe stands on mm_account_fault: it is inline, and its counters are not read per fault',
      },
    },
    premise: '',
  },
];

export type SessionVerdict = { readonly ok: true } | { readonly ok: false; readonly words: string };

/** Rule 17; null when the session brings no names. */
export function judgeFlagNames(session: SessionInfo): SessionVerdict | null {
  const names = Object.keys(session.enums.faultFlags);
  if (names.length === 0) return null;
  const found = names.find((name) => name.includes('LOCK_DROPPED'));
  return found === undefined ? { ok: true } : { ok: false, words: `enum fault_flag has ${found}` };
}

/** Rule 25, over a row of `UserKind.SwapDevice`; null when it says nothing. `synchronous`: what its block device says, 1 or 0. */
export function judgeSwapDevice(type: number, flags: number, synchronous: number, name: string): SessionVerdict | null {
  if (flags === 0 || (synchronous !== 0 && synchronous !== 1)) return null;
  const marked = (flags & SWP_SYNCHRONOUS_IO) !== 0;
  if (marked === (synchronous === 1)) return { ok: true };
  const device = `swap device ${type}${name === '' ? '' : ` (${name})`}`;
  return {
    ok: false,
    words: `${device} is ${synchronous === 1 ? '' : 'not '}synchronous and ${marked ? 'has' : 'lacks'} SWP_SYNCHRONOUS_IO`,
  };
}
