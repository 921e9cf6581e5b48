// SPDX-License-Identifier: MIT
/** All rules, by number, and their rows in docs/check.md. */
import { rangeOf } from './observable.js';
import type { Hooks, Rule, Sight } from './rule.js';
import { ATTEMPT_RULES } from './rules-attempt.js';
import { FALLBACK_RULES } from './rules-fallback.js';
import { FOLIO_RULES } from './rules-folio.js';
import { MMAP_RULES } from './rules-mmap.js';
import { RELEASE_RULES } from './rules-release.js';
import { SESSION_RULES } from './rules-session.js';
import { SWAP_RULES } from './rules-swap.js';

export const RULES: readonly Rule[] = [
  ...ATTEMPT_RULES,
  ...FALLBACK_RULES,
  ...FOLIO_RULES,
  ...SWAP_RULES,
  ...RELEASE_RULES,
  ...MMAP_RULES,
  ...SESSION_RULES,
].sort((x, y) => x.number - y.number);

/** Without these nothing is followed, so no session lacks them. */
const REQUIRED: ReadonlySet<string> = new Set([
  'handle_mm_fault',
  'lock_mm_and_find_vma',
  'do_swap_page',
  '__folio_lock_or_retry',
]);

function needs({ hooks, options, never }: Sight): string {
  if (never !== undefined) return `nothing shows it: ${never}`;
  const wanted = hooks.filter((hook) => typeof hook !== 'string' || !REQUIRED.has(hook));
  const name = (hook: Hooks): string => (typeof hook === 'string' ? [hook] : hook).map((h) => `\`${h}\``).join(' or ');
  return [...wanted.map(name), ...(options ?? [])].join(', ');
}

/** A rule as a row of the table in docs/check.md: number, statement, kernels, what would be seen if it broke. */
export function docsRow(rule: Rule): string {
  const sights = Object.values(rule.sees).map((sight) => {
    const by = needs(sight);
    return by === '' ? sight.shows : `${sight.shows} (${by})`;
  });
  return `| ${rule.number} | ${rule.statement} | ${rangeOf(rule) || 'all'} | ${sights.join('; ')} |`;
}
