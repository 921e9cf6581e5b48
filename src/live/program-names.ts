// SPDX-License-Identifier: MIT
/** Names of the programs in the BPF object, as `bpftool prog` shows them: how a program is attached, and its hook. */
import type { AttachMethod } from '../core/events/session.js';

const PREFIX: Readonly<Record<AttachMethod, string>> = {
  'kprobe.multi': 'kpm_',
  'kretprobe.multi': 'krpm_',
  fentry: 'fentry_',
  fexit: 'fexit_',
  tp_btf: 'tp_',
};
const SECOND = '_standby';

/** Run once by the user side, attached to nothing (`on_self` of bpf/pids.bpf.h). */
export const LEARN_OWN_PIDS = 'learn_own_pids';

/** `fexit_do_swap_page` */
export function programName(method: AttachMethod, hook: string): string {
  return PREFIX[method] + hook;
}

/** The second program on the return of a function, which takes what the first one misses. */
export function standbyName(hook: string): string {
  return programName('fexit', hook) + SECOND;
}

export function isStandby(program: string): boolean {
  return program.endsWith(SECOND);
}

/** The hook in a program's name; '' of a program that stands on none. */
export function hookOf(program: string): string {
  if (program === LEARN_OWN_PIDS) return '';
  const prefix = Object.values(PREFIX).find((one) => program.startsWith(one)) ?? '';
  return program.slice(prefix.length, isStandby(program) ? -SECOND.length : undefined);
}
