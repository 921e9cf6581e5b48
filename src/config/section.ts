// SPDX-License-Identifier: MIT
/** A table of a configuration file, read key by key. Every error names file, line, key and what is allowed. */
import { ExitCode, UserError } from '../errors.js';
import { pathText } from './path.js';
import { formatDurationText, parseDuration } from './quantities.js';

export interface Located {
  /** What errors call the file. */
  readonly file: string;
  /** Line by `pathText`. */
  readonly lines: ReadonlyMap<string, number>;
}

type Path = readonly (string | number)[];

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** All methods throw a `UserError` (exit code 2) for a value of the wrong kind. Absent keys read as undefined. */
export class Section {
  readonly #located: Located;
  readonly #path: Path;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #read: Set<string> = new Set();

  constructor(located: Located, path: Path, values: Readonly<Record<string, unknown>>) {
    this.#located = located;
    this.#path = path;
    this.#values = values;
  }

  get file(): string {
    return this.#located.file;
  }

  /** Line of the table, or of a key of it that is there. */
  line(key?: string): number {
    const { lines } = this.#located;
    const own = lines.get(pathText(this.#path)) ?? 1;
    return key === undefined ? own : (lines.get(pathText([...this.#path, key])) ?? own);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key);
  }

  string(key: string): string | undefined {
    return this.#typed(key, 'a string', (value) => (typeof value === 'string' ? value : undefined));
  }

  /** A string that must be there and must not be empty. */
  required(key: string): string {
    const value = this.string(key);
    if (value === undefined || value === '') throw this.error(key, 'is missing', `give ${this.name(key)} a string`);
    return value;
  }

  boolean(key: string): boolean | undefined {
    return this.#typed(key, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  /** Within `range`, ends included. */
  number(key: string, range: Range = {}): number | undefined {
    return this.#number(key, range, 'a number', (value) => Number.isFinite(value));
  }

  integer(key: string, range: Range = {}): number | undefined {
    return this.#number(key, range, 'a whole number', (value) => Number.isSafeInteger(value));
  }

  /** A time as `"500ms"`, `"5s"`, `"2m"`, `"1h"`, `"7d"`; in ns, within `range` (ns). */
  duration(key: string, range: Range = {}): number | undefined {
    const allowed = 'a time such as "500ms", "5s", "2m", "1h"';
    const ns = this.#typed(key, allowed, (value) => (typeof value === 'string' ? parseDuration(value) : undefined));
    if (ns === undefined) return undefined;
    if (ns < (range.min ?? 0)) throw this.error(key, 'is too short', `at least ${formatDurationText(range.min ?? 0)}`);
    if (ns > (range.max ?? Number.POSITIVE_INFINITY))
      throw this.error(key, 'is too long', `at most ${formatDurationText(range.max ?? 0)}`);
    return ns;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[]): T | undefined {
    return this.#typed(key, `one of ${allowed.map(quoted).join(', ')}`, (value) =>
      allowed.find((word) => word === value),
    );
  }

  /** A list of strings; with `allowed`, of those alone. */
  strings<T extends string>(key: string, allowed?: readonly T[]): T[] | undefined {
    const list = this.#typed(key, 'a list of strings', (value) =>
      Array.isArray(value) && value.every((item) => typeof item === 'string') ? (value as T[]) : undefined,
    );
    const strange = allowed === undefined ? undefined : list?.find((word) => !allowed.includes(word));
    if (strange === undefined) return list;
    throw this.error(key, `holds ${quoted(strange)}`, `it may hold ${(allowed ?? []).map(quoted).join(', ')}`);
  }

  /** `[key]` */
  section(key: string): Section | undefined {
    const table = this.#typed(key, `a table, [${this.name(key)}]`, tableOf);
    return table === undefined ? undefined : new Section(this.#located, [...this.#path, key], table);
  }

  /** `[[key]]`; none at all is an empty list. */
  sections(key: string): Section[] {
    const tables = this.#typed(key, `tables, [[${this.name(key)}]]`, (value) =>
      Array.isArray(value) && value.every((item) => tableOf(item) !== undefined) ? (value as object[]) : undefined,
    );
    return (tables ?? []).map(
      (table, i) => new Section(this.#located, [...this.#path, key, i], table as Record<string, unknown>),
    );
  }

  /** A table of strings: `{ name = "value" }`. */
  stringTable(key: string): Readonly<Record<string, string>> | undefined {
    return this.#typed(key, 'a table of strings', (value) => {
      const table = tableOf(value);
      return table !== undefined && Object.values(table).every((item) => typeof item === 'string')
        ? (table as Record<string, string>)
        : undefined;
    });
  }

  /** To be called when all keys were read: one that nobody asked for is an error. */
  finish(): void {
    for (const key of Object.keys(this.#values)) {
      if (this.#read.has(key)) continue;
      const known = [...this.#read].join(', ');
      throw this.error(key, 'is not known', known === '' ? 'no key is allowed here' : `known here: ${known}`);
    }
  }

  /** An error about a key. `remedy`: what is allowed. */
  error(key: string, why: string, remedy: string): UserError {
    const where = `line ${this.line(key)}: ${this.name(key)}`;
    return new UserError(`cannot use ${this.file}`, `${where} ${why}`, remedy, ExitCode.Usage);
  }

  /** The key with the tables it is in. */
  name(key: string): string {
    return pathText([...this.#path, key]);
  }

  #typed<T>(key: string, allowed: string, read: (value: unknown) => T | undefined): T | undefined {
    this.#read.add(key);
    if (!this.has(key)) return undefined;
    const value = read(this.#values[key]);
    if (value === undefined) throw this.error(key, `is ${shown(this.#values[key])}`, `it must be ${allowed}`);
    return value;
  }

  #number(key: string, { min, max }: Range, what: string, is: (value: number) => boolean): number | undefined {
    const from = min === undefined ? '' : ` from ${min}`;
    const to = max === undefined ? '' : ` up to ${max}`;
    return this.#typed(key, `${what}${from}${to}`, (value) => {
      const ok = typeof value === 'number' && is(value) && value >= (min ?? value) && value <= (max ?? value);
      return ok ? value : undefined;
    });
  }
}

function quoted(word: string): string {
  return JSON.stringify(word);
}

function tableOf(value: unknown): Record<string, unknown> | undefined {
  const isTable = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isTable ? (value as Record<string, unknown>) : undefined;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  // As TOML writes them; JSON has none of these.
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  return tableOf(value) === undefined ? (JSON.stringify(value) ?? String(value)) : 'a table';
}
