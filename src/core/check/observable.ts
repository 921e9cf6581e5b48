// SPDX-License-Identifier: MIT
/** Why a rule, or one way it can break, cannot be seen on this kernel, with these hooks, in this scope. */
import { layoutOf } from '../vocabulary/arch.js';
import type { Facts } from './facts.js';
import type { Hooks, Option, Rule, Sight } from './rule.js';

const name = (kernel: number): string => `${Math.floor(kernel / 1000)}.${kernel % 1000}`;

/** Kernels a rule holds on, in words; '' for all. */
export function rangeOf({ from, to }: Rule): string {
  if (from === undefined) return to === undefined ? '' : `up to ${name(to)}`;
  return to === undefined ? `from ${name(from)} on` : `from ${name(from)} to ${name(to)}`;
}

function unhooked(hooks: readonly Hooks[], facts: Facts): string {
  for (const wanted of hooks) {
    const any = typeof wanted === 'string' ? [wanted] : wanted;
    if (any.some((target) => facts.attached(target))) continue;
    const note = facts.session.hooks.find((hook) => hook.target === any[0])?.note ?? '';
    return `not hooked: ${any.join(' or ')}${note === '' ? '' : ` (${note})`}`;
  }
  return '';
}

const OPTIONS: Readonly<Record<Option, (facts: Facts) => string>> = {
  'release observed': ({ exact, session }) =>
    exact
      ? ''
      : session.release === 'observed'
        ? 'not each release of the VMA lock is seen on this kernel'
        : 'releases of the VMA lock are derived here, not seen (6.4 to 6.14: --release observed)',
  'scope all': ({ session }) => (session.scope === 'all' ? '' : 'it needs scope all'),
  'x86-64 or arm64': ({ arch, session }) =>
    arch !== null && layoutOf(arch) !== null
      ? ''
      : `where a PTE keeps the type of its entry is not known of ${session.arch}`,
};

/** '' when this way of breaking would be seen. */
export function whyUnseen(sight: Sight, facts: Facts): string {
  if (sight.never !== undefined) return sight.never;
  for (const option of sight.options ?? []) {
    const why = OPTIONS[option](facts);
    if (why !== '') return why;
  }
  return unhooked(sight.hooks, facts);
}

/** '' when the rule can be violated here; whether it can be held is a question for each of its sights. */
export function whyNot(rule: Rule, facts: Facts): string {
  const { kernel } = facts;
  if (kernel === 0 && (rule.from !== undefined || rule.to !== undefined))
    return `the kernel's version is not known, and it holds ${rangeOf(rule)}`;
  if ((rule.from !== undefined && kernel < rule.from) || (rule.to !== undefined && kernel > rule.to))
    return `it holds on kernels ${rangeOf(rule)}`;
  const whys = Object.values(rule.sees).map((sight) => whyUnseen(sight, facts));
  // Where no way of breaking would be seen, there is nothing to judge.
  if (whys.length > 0 && whys.every((why) => why !== '')) return whys[0] as string;
  return unhooked(rule.hooks, facts);
}
