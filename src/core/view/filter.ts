// SPDX-License-Identifier: MIT
/** The filter over all lists: words that must all hold, each a text or `pid:`, `comm:`, `cause:`, `cgroup:`, `vma:`. */

const KEYS = ['pid', 'comm', 'cause', 'cgroup', 'vma'] as const;
type Key = (typeof KEYS)[number];

interface Term {
  readonly key: Key | 'any';
  readonly text: string;
}

export interface Filter {
  readonly terms: readonly Term[];
}

/** What a row can be filtered by. A term about something a row does not have leaves the row. */
export interface Facts {
  /** pid and tid. */
  readonly ids?: readonly number[];
  readonly comm?: string;
  readonly cause?: string;
  /** Id and, where known, path or name. */
  readonly cgroup?: string;
  /** [start, end) of the VMA. */
  readonly vma?: readonly [start: number, end: number];
  /** All other words of the row. */
  readonly text?: string;
}

const TERM = new RegExp(`(?:(${KEYS.join('|')}):)?(?:"([^"]*)"?|(\\S+))`, 'giy');

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

export function keeps(filter: Filter, facts: Facts): boolean {
  return filter.terms.every((term) => holds(term, facts));
}

function holds({ key, text }: Term, facts: Facts): boolean {
  switch (key) {
    case 'pid':
      return facts.ids === undefined || facts.ids.some((id) => String(id) === text);
    case 'comm':
      return contains(facts.comm, text) ?? true;
    case 'cause':
      return contains(facts.cause, text) ?? true;
    case 'cgroup':
      return contains(facts.cgroup, text) ?? true;
    case 'vma':
      return facts.vma === undefined || inVma(facts.vma, text);
    case 'any':
      return (
        [facts.comm, facts.cause, facts.cgroup, facts.text].some((value) => contains(value, text) === true) ||
        (facts.ids?.some((id) => String(id).includes(text)) ?? false) ||
        (facts.vma?.[0].toString(16).includes(text) ?? false)
      );
  }
}

function contains(value: string | undefined, text: string): boolean | null {
  return value === undefined ? null : value.toLowerCase().includes(text);
}

/** The first digits of its start, or any address within. */
function inVma([start, end]: readonly [number, number], text: string): boolean {
  const digits = text.replace(/^0x/, '');
  if (start.toString(16).startsWith(digits)) return true;
  const address = /^[0-9a-f]+$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
  return address >= start && address < end;
}
