// SPDX-License-Identifier: MIT
/** All rules, by number. */
import type { Rule } from './rule.js';
import { ATTEMPT_RULES } from './rules-attempt.js';
import { FOLIO_RULES } from './rules-folio.js';
import { MMAP_RULES } from './rules-mmap.js';
import { RELEASE_RULES } from './rules-release.js';
import { SESSION_RULES } from './rules-session.js';
import { SWAP_RULES } from './rules-swap.js';

export const RULES: readonly Rule[] = [
  ...ATTEMPT_RULES,
  ...FOLIO_RULES,
  ...SWAP_RULES,
  ...RELEASE_RULES,
  ...MMAP_RULES,
  ...SESSION_RULES,
].sort((x, y) => x.number - y.number);
