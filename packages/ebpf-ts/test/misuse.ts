// SPDX-License-Identifier: MIT
/**
 * Calls everything a value has, found by looking, with arguments of every wrong kind. It may answer or throw `BpfError`; another
 * error is an offence, and a crash ends the process this runs in: run it in one of its own.
 */
import { BpfError } from '../src/errors.js';

/** `skip` are members that are called by themselves, each for a reason its subject gives. */
export interface Subject {
  readonly name: string;
  readonly target: object;
  readonly skip?: readonly string[];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Liar extends Uint8Array {
  override get byteLength(): number {
    return 8;
  }
  override get length(): number {
    return 8;
  }
  override slice(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(1);
  }
}
function detached(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}
const NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53];
const PLAIN: readonly (() => unknown)[] = [
  ...[...NUMBERS, -1, -(2 ** 31), 0.5, -0, Number.NaN, Number.POSITIVE_INFINITY].map((n) => () => n),
  ...[0n, 1n, -1n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n].map((n) => () => n),
  ...['', 'a', 'a\0b', 'x'.repeat(300), '/nowhere/at/all', 'any', 'lo', 'ingress', '.bss', '.rodata', '😀'].map(
    (s) => () => s,
  ),
  ...[null, undefined, true, false].map((v) => () => v),
  () => Symbol('s'),
  () => ({}),
  () => Object.create(null),
  () => [],
  () => () => {},
  () => new Map(),
  ...[0, 1, 3, 4, 7, 8, 12, 16, 64, 4096, 70000].map((n) => () => new Uint8Array(n)),
  detached,
  () => new Liar(1),
  () => new Liar(64),
  () => new Uint8Array(new SharedArrayBuffer(8)),
  () => new Uint8Array(Reflect.construct(ArrayBuffer, [8, { maxByteLength: 64 }])),
  () => new Uint16Array(4),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  () => Object.setPrototypeOf({ length: 4 }, Uint8Array.prototype),
  () => ({ length: 4 }),
  () => ({ fd: 0, name: 'x', type: 27, maxEntries: 4096, info: { type: 27, maxEntries: 4096 } }),
];
/** Names of every option a function of the library takes. */
const KEYS = [
  ...['cookie', 'cookies', 'offset', 'retprobe', 'pid', 'tid', 'path', 'function', 'provider', 'name', 'size', 'take'],
  ...[
    'overwrite',
    'writable',
    'event',
    'cpu',
    'frequency',
    'period',
    'data',
    'ctx',
    'outSize',
    'map',
    'type',
    'keySize',
  ],
  ...['valueSize', 'maxEntries', 'flags', 'inner', 'signal', 'kernelBtf', 'keep', 'become'],
];

/** Values of every kind; `given` are things of the library itself, good ones in wrong places. */
export class Values {
  readonly #random: () => number;
  readonly #given: readonly unknown[];

  constructor(random: () => number, given: readonly unknown[]) {
    this.#random = random;
    this.#given = given;
  }
  #of<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)] as T;
  }
  one(depth: number = 0): unknown {
    const kind = this.#random();
    if (kind < 0.1 && this.#given.length > 0) return this.#of(this.#given);
    if (kind < 0.25 && depth < 3)
      return Object.fromEntries(
        Array.from({ length: this.#of([1, 2, 4]) }, () => [this.#of(KEYS), this.one(depth + 1)]),
      );
    if (kind < 0.35 && depth < 3) return Array.from({ length: this.#of([1, 2, 3]) }, () => this.one(depth + 1));
    return this.#of(PLAIN)();
  }
  arguments(): unknown[] {
    return Array.from({ length: this.#of([0, 1, 1, 2, 2, 3, 4]) }, () => this.one());
  }
}

const CLOSERS: ReadonlySet<string | symbol> = new Set(['close', 'closeAside', Symbol.dispose]);

/** Own and inherited members, by name: functions to call and properties to read. Those that close come by themselves. */
export function membersOf(target: object): (string | symbol)[] {
  const found = new Set<string | symbol>();
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    if (at === Object.prototype || at === Function.prototype || at === Error.prototype) break;
    for (const key of Reflect.ownKeys(at)) found.add(key);
  }
  for (const key of ['constructor', 'length', 'name', 'prototype']) if (typeof target === 'function') found.delete(key);
  return [...found].filter((key) => key !== 'constructor' && !CLOSERS.has(key));
}

export interface Outcome {
  answered: number;
  refused: number;
  readonly offences: Map<string, string>;
  /** Members that were called, `subject.member`. */
  readonly called: Set<string>;
}
export const outcome = (): Outcome => ({ answered: 0, refused: 0, offences: new Map(), called: new Set() });

function shown(value: unknown): string {
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength})`;
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value)
      ? `[${value.map(shown)}]`
      : `{${Object.entries(value).map(([k, v]) => `${k}: ${shown(v)}`)}}`;
  return typeof value === 'bigint'
    ? `${value}n`
    : typeof value === 'string'
      ? JSON.stringify(value).slice(0, 20)
      : String(value).slice(0, 40);
}

/** One call; its result is used a little and closed. */
async function attempt(what: string, call: () => unknown, out: Outcome, given: readonly unknown[]): Promise<void> {
  const { offences } = out;
  const offence = (error: unknown): void => {
    if (error instanceof BpfError) out.refused++;
    else
      offences.set(
        what.replace(/\(.*/s, ''),
        `${what}: ${error instanceof Error ? error.stack?.split('\n').slice(0, 4).join(' ') : String(error)}`,
      );
  };
  try {
    const got = call() as Record<string | symbol, unknown> | null | undefined;
    if (got !== null && typeof got === 'object') {
      if (got instanceof Promise) await got;
      else if (typeof got[Symbol.asyncIterator] === 'function' && typeof got.next === 'function') {
        const walk = got as unknown as AsyncGenerator;
        void walk.next().catch(offence);
        void walk.return(undefined).catch(offence);
      } else if (typeof got.next === 'function') {
        const walk = got as unknown as Generator;
        for (let i = 0; i < 3; i++) walk.next();
        walk.return(undefined);
      } else if (!given.includes(got) && typeof got.close === 'function') (got as unknown as { close(): void }).close();
    }
    out.answered++;
  } catch (error) {
    offence(error);
  }
}

/** Calls every member `rounds` times. */
export async function misuse(
  { name, target, skip = [] }: Subject,
  values: Values,
  given: readonly unknown[],
  rounds: number,
  out: Outcome,
): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const key of membersOf(target)) {
      if (skip.includes(String(key))) continue;
      const args = values.arguments();
      const member = `${name}.${String(key)}`;
      out.called.add(member);
      const use = (): unknown => {
        const value = Reflect.get(target, key) as unknown;
        return typeof value === 'function' && !/^class\b/.test(String(value)) ? value.apply(target, args) : value;
      };
      if (process.env.EBPF_TS_TRACE) process.stderr.write(`${member}(${args.map(shown)})\n`);
      await attempt(`${member}(${args.map(shown)})`, use, out, given);
    }
}
