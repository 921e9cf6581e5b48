// SPDX-License-Identifier: MIT
/**
 * The filter over all lists: words that must all hold, each a text or `pid:`, `comm:`, `cause:`, `cgroup:`, `vma:`, and
 * `container:`, `pod:`, `unit:` as sessions are filtered by them.
 */
import { type CgroupFilter, isMeant, type KnownCgroup } from '../vocabulary/cgroup-filter.js';

const KEYS = ['pid', 'comm', 'cause', 'cgroup', 'container', 'pod', 'unit', 'vma'] as const;
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
      return isDirectory(text) ? lies({ kind: 'cgroup', text }, facts) : (contains(facts.cgroup, text) ?? true);
    case 'container':
    case 'pod':
    case 'unit':
      return lies({ kind: key, text }, facts);
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

/** `/system.slice/`: that cgroup and what lies below it; without the slash at its end any text of its name. */
function isDirectory(text: string): boolean {
  return text.startsWith('/') && text.endsWith('/');
}

function lies(filter: CgroupFilter, { cgroup }: Facts): boolean {
  return cgroup === undefined || isMeant(filter, knownCgroup(cgroup.toLowerCase()));
}

/** `71 shop/web-0/nginx /kubepods.slice/…` */
function knownCgroup(text: string): KnownCgroup {
  const [, id = '0', name = '', path = ''] = /^(?:(\d+) ?)?(?:(.*?) )??(\/.*)?$/.exec(text) ?? [];
  return { id: Number(id), path, name };
}

/** What a filter of sessions is over rows. */
export function rowFilter({ kind, text }: CgroupFilter): string {
  const path = kind === 'cgroup' && !/^\d+$/.test(text) ? `/${text}/`.replace(/\/+/g, '/') : text;
  return `${kind}:"${path}"`;
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
