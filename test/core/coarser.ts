// SPDX-License-Identifier: MIT
/** What docs/causes.md says of missed runs: a cause is the true one, unknown, or one that says less. */
import type { Cause } from '../../src/core/vocabulary/causes.js';

const COARSER: readonly [of: RegExp, cause: Cause][] = [
  [/^(folio locked|device-exclusive)/, 'folio locked'],
  [/^userfault/, 'userfault'],
  [/^hugetlb$/, 'anon_vma'],
];

/** What `cause` may be called where runs were missed, besides its name and unknown. */
export function coarserThan(cause: string): Cause[] {
  return COARSER.filter(([of]) => of.test(cause)).map(([, coarser]) => coarser);
}
