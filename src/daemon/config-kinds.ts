// SPDX-License-Identifier: MIT
/** Kinds of values a configuration key can have: how each is read, and what is allowed in words. */
import type { Section } from '../config/section.js';

export interface Kind<T> {
  /** For the documentation. */
  readonly allowed: string;
  /** As JSON Schema has it; what it cannot say, `allowed` does. */
  readonly schema: object;
  /** undefined: the key is not there. Throws a `UserError` for what is not allowed. */
  read(section: Section, name: string): T | undefined;
}

export interface Key<T> {
  readonly kind: Kind<T>;
  readonly fallback: T;
  readonly help: string;
  /** A running daemon takes a new value at SIGHUP. */
  readonly reloadable: boolean;
}

export type Keys<Config> = {
  readonly [S in keyof Config]: { readonly [K in keyof Config[S]]: Key<Config[S][K]> };
};

export function key<T>(kind: Kind<T>, fallback: T, help: string, reloadable?: 'reloadable'): Key<T> {
  return { kind, fallback, help, reloadable: reloadable !== undefined };
}

export function oneOf<T extends string>(...words: readonly T[]): Kind<T> {
  return {
    allowed: words.map((word) => JSON.stringify(word)).join(', '),
    schema: { enum: words },
    read: (section, name) => section.oneOf(name, words),
  };
}

export const flag: Kind<boolean> = {
  allowed: '`true`, `false`',
  schema: { type: 'boolean' },
  read: (section, name) => section.boolean(name),
};

/** A number in [min, max]. */
export function number(min: number, max: number): Kind<number> {
  return {
    allowed: `a number from ${min} to ${max}`,
    schema: { type: 'number', minimum: min, maximum: max },
    read: (section, name) => section.number(name, { min, max }),
  };
}

/** An integer in [min, max]. */
export function whole(min: number, max: number): Kind<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    schema: { type: 'integer', minimum: min, maximum: max },
    read: (section, name) => section.integer(name, { min, max }),
  };
}

/** `"10s"`, `"5m"`; in seconds within [min, max]. */
export function span(min: number, max: number): Kind<number> {
  return {
    allowed: `a time from ${min} to ${max} s: "500ms", "10s", "5m"`,
    schema: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(ms|s|m|h|d)$' },
    read: (section, name) => {
      const ns = section.duration(name, { min: min * 1e9, max: max * 1e9 });
      return ns === undefined ? undefined : ns / 1e9;
    },
  };
}

/** Bytes of UTF-8. */
export function text(min: number, max: number): Kind<string> {
  const allowed = `a string of ${min} to ${max} bytes`;
  return {
    allowed,
    // A character has a byte at least.
    schema: { type: 'string', minLength: Math.min(min, 1), maxLength: max },
    read: (section, name) => {
      const value = section.string(name);
      if (value === undefined) return undefined;
      const bytes = Buffer.byteLength(value);
      if (bytes < min || bytes > max || value.includes('\0'))
        throw section.error(name, `has ${bytes} bytes`, `it must be ${allowed}, without NUL`);
      return value;
    },
  };
}

/** Words, each of which `knows` knows. */
export function words<T extends string = string>(what: string, knows: (word: string) => boolean): Kind<readonly T[]> {
  return {
    allowed: `a list of ${what}`,
    schema: { type: 'array', items: { type: 'string' } },
    read: (section, name) => {
      const value = section.strings(name);
      const strange = value?.find((word) => !knows(word));
      if (strange !== undefined)
        throw section.error(name, `has ${JSON.stringify(strange)}`, `it must be a list of ${what}`);
      return value as readonly T[] | undefined;
    },
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

function sizeText(bytes: number): string {
  const unit = ['G', 'M', 'K'].find((letter) => bytes > 0 && bytes % (UNITS[letter] ?? 1) === 0) ?? '';
  return `${bytes / (UNITS[unit] ?? 1)}${unit}`;
}

/** Bytes, as `"16M"`. `power`: a power of two. */
export function size(min: number, max: number, power = false): Kind<number> {
  const allowed = `${power ? 'a power of two' : 'a size'} from "${sizeText(min)}" to "${sizeText(max)}"`;
  return {
    allowed,
    schema: { type: 'string', pattern: '^[0-9]+[KMG]?$' },
    read: (section, name) => {
      const value = section.string(name);
      if (value === undefined) return undefined;
      const match = /^(\d+)([KMG]?)$/.exec(value);
      const bytes = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
      if (!(bytes >= min && bytes <= max) || (power && !Number.isInteger(Math.log2(bytes))))
        throw section.error(name, `is ${JSON.stringify(value)}`, `it must be ${allowed}`);
      return bytes;
    },
  };
}
