// SPDX-License-Identifier: MIT
/** What to do when a rule fires or is over: the configuration, from `[[action]]` tables. */
import type { Section } from '../config/section.js';
import { SEVERITIES, type Severity } from '../core/alerts/event.js';

interface Common {
  /** Which events it is for; severities below `minSeverity` are not. */
  readonly on: readonly ('firing' | 'resolved')[];
  readonly minSeverity: Severity;
  /** null: of all rules. */
  readonly rules: readonly string[] | null;
  /** Events it takes at most per minute; what is above is dropped, counted and said. */
  readonly perMinute: number;
}

export interface LogAction extends Common {
  readonly type: 'log';
}

export interface ExecAction extends Common {
  readonly type: 'exec';
  /** Program and arguments; no shell sees them. The program by an absolute path. */
  readonly argv: readonly [string, ...string[]];
  /** Its process group is killed after this time. */
  readonly timeoutMs: number;
  /** null: the ids of this process. */
  readonly uid: number | null;
  readonly gid: number | null;
}

export interface WebhookAction extends Common {
  readonly type: 'webhook';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** After the first attempt; the first comes after `backoffMs`, each further one after twice the time. */
  readonly retries: number;
  readonly backoffMs: number;
}

/** Writes out the flight recorder. */
export interface FlightAction extends Common {
  readonly type: 'flight-recorder';
}

export type Action = LogAction | ExecAction | WebhookAction | FlightAction;

const TYPES = ['log', 'exec', 'webhook', 'flight-recorder'] as const;
const KINDS = ['firing', 'resolved'] as const;
const MAX_ID = 2 ** 32 - 2;

/**
 * The `[[action]]` tables of `section`. `rules`: the names that may be referred to. Throws a `UserError` that names file,
 * line, key and what is allowed.
 */
export function readActions(section: Section, rules: readonly string[]): Action[] {
  return section.sections('action').map((table) => {
    const action = readAction(table, rules);
    table.finish();
    return action;
  });
}

function readAction(table: Section, rules: readonly string[]): Action {
  const type = table.oneOf('type', TYPES);
  if (type === undefined) throw table.error('type', 'is missing', `one of ${TYPES.join(', ')}`);
  const fallback = type === 'flight-recorder' ? (['firing'] as const) : KINDS;
  const common: Common = {
    on: table.strings('on', KINDS) ?? fallback,
    minSeverity: table.oneOf('min_severity', SEVERITIES) ?? 'info',
    rules: table.strings('rules', rules) ?? null,
    perMinute: table.integer('per_minute', { min: 1, max: 6000 }) ?? (type === 'log' ? 600 : 10),
  };
  switch (type) {
    case 'log':
      return { type, ...common };
    case 'flight-recorder':
      return { type, ...common };
    case 'exec':
      return {
        type,
        ...common,
        argv: readArgv(table),
        timeoutMs: milliseconds(table, 'timeout', 10_000),
        uid: table.integer('uid', { min: 0, max: MAX_ID }) ?? null,
        gid: table.integer('gid', { min: 0, max: MAX_ID }) ?? null,
      };
    case 'webhook':
      return {
        type,
        ...common,
        url: readUrl(table),
        headers: readHeaders(table),
        timeoutMs: milliseconds(table, 'timeout', 5_000),
        retries: table.integer('retries', { min: 0, max: 10 }) ?? 3,
        backoffMs: milliseconds(table, 'backoff', 1_000),
      };
  }
}

function milliseconds(table: Section, key: string, fallback: number): number {
  const ns = table.duration(key, { min: 1e6, max: 600e9 });
  return ns === undefined ? fallback : ns / 1e6;
}

function readArgv(table: Section): readonly [string, ...string[]] {
  const [program, ...rest] = table.strings('argv') ?? [];
  const allowed = 'a list: the program by its absolute path, then its arguments';
  if (program === undefined) throw table.error('argv', 'is missing', allowed);
  if (!program.startsWith('/')) throw table.error('argv', `begins with ${JSON.stringify(program)}`, allowed);
  if ([program, ...rest].some((word) => word.includes('\0'))) throw table.error('argv', 'holds a NUL', allowed);
  return [program, ...rest];
}

function readUrl(table: Section): string {
  const text = table.required('url');
  const url = URL.canParse(text) ? new URL(text) : null;
  const allowed = 'an address such as "http://127.0.0.1:9000/alert" or "https://…", a password in `headers`';
  if (url === null || !/^https?:$/.test(url.protocol)) throw table.error('url', `is ${JSON.stringify(text)}`, allowed);
  // fetch refuses them, and they would stand in every log line.
  if (url.username !== '' || url.password !== '') throw table.error('url', 'holds a user or a password', allowed);
  return text;
}

function readHeaders(table: Section): Readonly<Record<string, string>> {
  const headers = table.stringTable('headers') ?? {};
  try {
    new Headers(headers);
  } catch {
    throw table.error('headers', 'holds what cannot stand in a header', 'names and values as HTTP has them');
  }
  return headers;
}
