// SPDX-License-Identifier: MIT
/** Why a rule cannot be judged on this kernel, with these hooks, in this scope. */
import type { Facts } from './facts.js';
import type { Rule } from './rule.js';

const name = (kernel: number): string => `${Math.floor(kernel / 1000)}.${kernel % 1000}`;

function range({ from, to }: Rule): string {
  if (from === undefined) return to === undefined ? '' : `up to ${name(to)}`;
  return to === undefined ? `from ${name(from)} on` : `from ${name(from)} to ${name(to)}`;
}

/** '' when it can be judged. */
export function whyNot(rule: Rule, facts: Facts): string {
  if (rule.never !== undefined) return rule.never;
  const { kernel, session } = facts;
  if (kernel === 0 && (rule.from !== undefined || rule.to !== undefined))
    return `the kernel's version is not known, and it holds ${range(rule)}`;
  if ((rule.from !== undefined && kernel < rule.from) || (rule.to !== undefined && kernel > rule.to)) {
    return rule.exact
      ? `releases of the VMA lock are seen on kernels ${range(rule)} alone`
      : `it holds on kernels ${range(rule)}`;
  }
  if (rule.exact && !facts.exact)
    return session.release === 'observed'
      ? 'not each release of the VMA lock is seen on this kernel'
      : 'releases of the VMA lock are derived here, not seen (6.4 to 6.14: --release observed)';
  if (rule.scope !== undefined && session.scope !== rule.scope) return `it needs scope ${rule.scope}`;
  for (const wanted of rule.hooks) {
    const any = typeof wanted === 'string' ? [wanted] : wanted;
    if (any.some((target) => facts.attached(target))) continue;
    const note = session.hooks.find((hook) => hook.target === any[0])?.note ?? '';
    return `not hooked: ${any.join(' or ')}${note === '' ? '' : ` (${note})`}`;
  }
  return '';
}
