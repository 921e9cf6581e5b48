// SPDX-License-Identifier: MIT
/**
 * What the head of a recording may say of its session: one row a field, with what is allowed in words. A field that is not
 * in the table is not read, and one that breaks its row makes the recording unreadable: views and sums trust the rest.
 */
import { SCOPES, type SessionInfo } from '../../core/events/session.js';

interface Field {
  /** In words, behind "must be". */
  readonly allowed: string;
  /** The value as it may be used; undefined: it may not. */
  read(value: unknown): unknown;
}

/** Longest text: a command line of a few kB is the longest there is. */
const MAX_TEXT = 65_536;
const MAX_ITEMS = 65_536;

function text(allowed = `a text of up to ${MAX_TEXT} characters`, is: (text: string) => boolean = () => true): Field {
  return {
    allowed,
    read: (value) => (typeof value === 'string' && value.length <= MAX_TEXT && is(value) ? value : undefined),
  };
}

function oneOf(...words: readonly string[]): Field {
  return text(`one of ${words.join(', ')}`, (word) => words.includes(word));
}

function nanoseconds(bits: number): Field {
  return text(
    `a decimal number of nanoseconds below 2^${bits}`,
    (digits) => /^\d{1,20}$/.test(digits) && BigInt(digits) < 1n << BigInt(bits),
  );
}

/** A whole number, ends included. */
function whole(min: number, max: number): Field {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    read: (value) => (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max ? value : undefined),
  };
}

const flag: Field = {
  allowed: 'true or false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(item: Field): Field {
  return {
    allowed: `a list, each ${item.allowed}`,
    read(value) {
      if (!Array.isArray(value) || value.length > MAX_ITEMS) return undefined;
      const items = value.map((it) => item.read(it));
      return items.includes(undefined) ? undefined : items;
    },
  };
}

function object(fields: Readonly<Record<string, Field>>): Field {
  const rows = Object.entries(fields);
  return {
    allowed: `with ${rows.map(([name, field]) => `${name}: ${field.allowed}`).join('; ')}`,
    read(value) {
      if (!isRecord(value)) return undefined;
      const read = rows.map(([name, field]) => [name, field.read(value[name])] as const);
      return read.some(([, it]) => it === undefined) ? undefined : Object.fromEntries(read);
    },
  };
}

function table(item: Field): Field {
  return {
    allowed: `a table, each ${item.allowed}`,
    read(value) {
      if (!isRecord(value)) return undefined;
      const rows = Object.entries(value);
      if (rows.length > MAX_ITEMS) return undefined;
      const read = rows.map(([name, it]) => [name, item.read(it)] as const);
      return read.some(([, it]) => it === undefined) ? undefined : Object.fromEntries(read);
    },
  };
}

/** What older recordings do not have. */
const ABSENT = Symbol('absent');
function optional(field: Field): Field {
  return {
    allowed: `${field.allowed}, or absent`,
    read: (value) => (value === undefined ? ABSENT : field.read(value)),
  };
}

const U32 = 2 ** 32 - 1;
/** Of a cut recording a clock pair may lie before the beginning. */
const time: Field = whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const bits: Field = table(whole(-(2 ** 31), U32));

/** Every field of a session: a new one gets its range here. */
const FIELDS: Readonly<Record<keyof Required<SessionInfo>, Field>> = {
  v: whole(1, 1),
  tool: text(),
  host: text(),
  kernel: text(),
  arch: text(),
  bootId: text(),
  commandLine: list(text()),
  cpus: whole(1, 2 ** 20),
  baseNs: nanoseconds(64),
  // With the times of rows added it is an int64 in tables: to the year 2116.
  clocks: list(object({ time, realtimeNs: nanoseconds(62) })),
  scope: oneOf(...SCOPES),
  release: oneOf('observed', 'derived'),
  minUs: whole(0, U32),
  holdMinUs: optional(whole(0, U32)),
  filters: table(text()),
  programs: list(object({ name: text(), target: text(), method: text() })),
  hooks: list(object({ target: text(), attached: flag, note: text() })),
  ringBytes: whole(0, 2 ** 40),
  enums: object({ faultFlags: bits, faultReasons: bits }),
  preemption: text(),
  layout: text(),
  pidNamespace: optional(flag),
};

/** The session, or the name of the first field that breaks its row and what it must be. */
export function checkSession(
  value: Readonly<Record<string, unknown>>,
): { readonly session: SessionInfo } | { readonly field: string; readonly allowed: string } {
  const session: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(FIELDS)) {
    const read = field.read(value[name]);
    if (read === undefined) return { field: name, allowed: field.allowed };
    if (read !== ABSENT) session[name] = read;
  }
  return { session: session as unknown as SessionInfo };
}
