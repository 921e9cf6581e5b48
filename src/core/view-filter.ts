// SPDX-License-Identifier: MIT
/** The filter over processes and lifecycles: words that must all hold, each a text or `pid:`, `comm:`, `cause:`. */
import type { Lifecycle } from './lifecycle.js';
import type { ProcessRow } from './snapshot.js';
import { causeOf } from './view-lifecycle.js';

interface Term {
  readonly key: 'any' | 'pid' | 'comm' | 'cause';
  readonly text: string;
}

export interface Filter {
  readonly terms: readonly Term[];
}

const TERM = /(?:(pid|comm|cause):)?(?:"([^"]*)"?|(\S+))/giy;

/** Never fails: what is no prefix is text. `cause:"folio locked"` keeps the blank. */
export function parseFilter(source: string): Filter {
  const terms: Term[] = [];
  TERM.lastIndex = 0;
  const rest = source.trim();
  while (TERM.lastIndex < rest.length) {
    while (rest.charAt(TERM.lastIndex) === ' ') TERM.lastIndex++;
    const match = TERM.exec(rest);
    if (match === null) break;
    const key = (match[1]?.toLowerCase() ?? 'any') as Term['key'];
    terms.push({ key, text: (match[2] ?? match[3] ?? '').toLowerCase() });
  }
  return { terms };
}

export function keepsProcess(filter: Filter, row: ProcessRow): boolean {
  // A process has no cause: such a term leaves the process table as it is.
  return filter.terms.every((t) => t.key === 'cause' || holds(t, [row.tgid], row.comm, ''));
}

export function keepsLifecycle(filter: Filter, lifecycle: Lifecycle): boolean {
  if (filter.terms.length === 0) return true;
  const cause = causeOf(lifecycle)?.toLowerCase() ?? '';
  return filter.terms.every((t) => holds(t, [lifecycle.tgid, lifecycle.tid], lifecycle.comm, cause));
}

function holds(term: Term, ids: readonly number[], comm: string, cause: string): boolean {
  const name = comm.toLowerCase();
  switch (term.key) {
    case 'pid':
      return ids.some((id) => String(id) === term.text);
    case 'comm':
      return name.includes(term.text);
    case 'cause':
      return cause.includes(term.text);
    case 'any':
      return name.includes(term.text) || cause.includes(term.text) || ids.some((id) => String(id).includes(term.text));
  }
}
