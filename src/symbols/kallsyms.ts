// SPDX-License-Identifier: MIT
/** The kernel's own names for its code: the text symbols of /proc/kallsyms, sorted by address. */
import { readFileSync } from 'node:fs';
import { errorCode } from '../errors.js';
import { lastAtMost } from './sorted.js';

/** Kernel addresses are kept as numbers above this one: the upper half of a 47-bit (x86-64) or 48-bit (arm64) split. */
const BASE = 0xffff_8000_0000_0000n;
const BASE_HIGH = 0xffff_8000;
const HIGH = 2 ** 32;
/** No function is longer: an address further behind a symbol is not its code (kallsyms has no sizes). */
const LONGEST = 1 << 20;

const NEWLINE = 10;
const DIGITS = 16;
/** `t T w W` of nm: code. The rest is data, per-CPU offsets and absolute values, which no stack and no `->fault` names. */
const isText = (type: number): boolean => (type | 0x20) === 0x74 || (type | 0x20) === 0x77;

export interface SymbolRange {
  readonly start: bigint;
  /** Exclusive: where the next symbol begins. */
  readonly end: bigint;
}

export interface KallsymsAttempt {
  readonly kallsyms: Kallsyms | null;
  /** Why there is none; empty when there is. */
  readonly why: string;
}

export class Kallsyms {
  /** Ascending, as distance from `BASE`. */
  readonly #starts: Float64Array;
  /** Where the name begins in `#names`, ascending as well; `#names` is `\nname\nname\t[module]\n…`. */
  readonly #offsets: Uint32Array;
  readonly #names: Buffer;

  private constructor(starts: Float64Array, offsets: Uint32Array, names: Buffer) {
    this.#starts = starts;
    this.#offsets = offsets;
    this.#names = names;
  }

  /** The symbols, or null where they are hidden or cannot be read: `attempt` says why. */
  static load(path = '/proc/kallsyms'): Kallsyms | null {
    return Kallsyms.attempt(path).kallsyms;
  }

  static attempt(path = '/proc/kallsyms'): KallsymsAttempt {
    try {
      return Kallsyms.parse(readFileSync(path), path);
    } catch (error) {
      return { kallsyms: null, why: `${path}: ${errorCode(error) || String(error)}` };
    }
  }

  /** `text`: all of /proc/kallsyms; `path` is for the wording alone. */
  static parse(text: Buffer, path: string): KallsymsAttempt {
    const lines = scan(text);
    if (lines.count > 0) return { kallsyms: Kallsyms.#build(text, lines), why: '' };
    // kallsyms_show_value(): zeros for a process that lacks CAP_SYSLOG at open, and for everybody at kptr_restrict=2.
    const why = lines.hidden
      ? `${path}: the kernel hides its addresses (kernel.kptr_restrict, or CAP_SYSLOG is missing)`
      : `${path}: no symbols of code in it`;
    return { kallsyms: null, why };
  }

  static #build(text: Buffer, lines: Lines): Kallsyms {
    const starts = new Float64Array(lines.count);
    const offsets = new Uint32Array(lines.count);
    const names = Buffer.allocUnsafeSlow(lines.bytes + 1);
    names[0] = NEWLINE;
    let at = 1;
    order(lines).forEach((from, to) => {
      starts[to] = lines.starts[from] as number;
      offsets[to] = at;
      const name = lines.names[from] as number;
      at += text.copy(names, at, name, name + (lines.lengths[from] as number));
      names[at++] = NEWLINE;
    });
    return new Kallsyms(starts, offsets, names);
  }

  get size(): number {
    return this.#starts.length;
  }

  /** Address of a function; null when there is none of that name, or several: a wrong one would be worse. vmlinux comes before modules. */
  address(name: string): bigint | null {
    const index = this.#index(name);
    return index < 0 ? null : this.#start(index);
  }

  /** Where a function's code lies, padding behind it included and its `.cold` part not; null as `address`. */
  range(name: string): SymbolRange | null {
    const index = this.#index(name);
    if (index < 0) return null;
    let next = index + 1;
    while (next < this.#starts.length && this.#starts[next] === this.#starts[index]) next++;
    return next < this.#starts.length ? { start: this.#start(index), end: this.#start(next) } : null;
  }

  /**
   * `name+0x12 [module]`, without `+0x0`; the bare address in hexadecimal where no symbol is near.
   * `returns`: it is where a call returns to, perhaps behind the last instruction of its function (a call that never returns).
   */
  symbol(address: bigint, returns = false): string {
    const index = this.#below(returns ? address - 1n : address);
    if (index < 0) return `0x${address.toString(16)}`;
    const offset = address - this.#start(index);
    const [name, module] = this.#name(index).split('\t');
    return `${name}${offset === 0n ? '' : `+0x${offset.toString(16)}`}${module === undefined ? '' : ` ${module}`}`;
  }

  /** The name alone, `name [module]`, when `address` is the very start of a function (a pointer to it); else null. */
  functionAt(address: bigint): string | null {
    const index = this.#below(address);
    return index < 0 || this.#start(index) !== address ? null : this.#name(index).replace('\t', ' ');
  }

  #start(index: number): bigint {
    return BASE + BigInt(this.#starts[index] ?? 0);
  }

  #name(index: number): string {
    const at = this.#offsets[index] ?? 0;
    return this.#names.toString('latin1', at, this.#names.indexOf(NEWLINE, at));
  }

  /** Of the symbols at or below `address` the last, of its aliases the first; -1 when none is near. */
  #below(address: bigint): number {
    if (address < BASE) return -1;
    const target = Number(address - BASE);
    const index = lastAtMost(this.#starts, target);
    const start = this.#starts[index];
    if (start === undefined || target - start >= LONGEST) return -1;
    return lastAtMost(this.#starts, start - 1) + 1;
  }

  #index(name: string): number {
    for (const end of ['\n', '\t']) {
      const wanted = Buffer.from(`\n${name}${end}`, 'latin1');
      const at = this.#names.indexOf(wanted);
      if (at < 0) continue;
      return this.#names.indexOf(wanted, at + 1) < 0 ? lastAtMost(this.#offsets, at + 1) : -1;
    }
    return -1;
  }
}

/** Lines `ffffffff81000000 T name\t[module]` of code, in the order of the file. */
interface Lines {
  readonly starts: Float64Array;
  /** Where `name` or `name\t[module]` begins in the file, and its bytes. */
  readonly names: Uint32Array;
  readonly lengths: Uint16Array;
  readonly count: number;
  /** Of all names, with a separator each. */
  readonly bytes: number;
  /** There were addresses of 0. */
  readonly hidden: boolean;
}

/** The shortest line: 16 digits, blank, type, blank, one letter, newline. */
const SHORTEST = DIGITS + 5;

function scan(text: Buffer): Lines {
  const room = Math.ceil(text.length / SHORTEST);
  const starts = new Float64Array(room);
  const names = new Uint32Array(room);
  const lengths = new Uint16Array(room);
  let count = 0;
  let bytes = 0;
  let hidden = false;
  for (let at = 0; at + SHORTEST - 1 <= text.length; ) {
    const found = text.indexOf(NEWLINE, at + DIGITS);
    const end = found < 0 ? text.length : found;
    const name = at + DIGITS + 3;
    if (end > name && isText(text[at + DIGITS + 1] as number)) {
      const high = hex8(text, at);
      if (high >= BASE_HIGH) {
        starts[count] = (high - BASE_HIGH) * HIGH + hex8(text, at + 8);
        names[count] = name;
        lengths[count++] = end - name;
        bytes += end - name + 1;
      } else if (high === 0) hidden = true;
    }
    at = end + 1;
  }
  return { starts, names, lengths, count, bytes, hidden };
}

/**
 * Indices by address: vmlinux comes in order, modules do not. Stable: of several names of one address the first
 * stays first, which is the one the kernel itself prints (get_symbol_pos). A plain array, whose sort takes runs as they are.
 */
function order({ starts, count }: Lines): number[] {
  const indices = Array.from({ length: count }, (_, i) => i);
  return indices.sort((a, b) => (starts[a] as number) - (starts[b] as number));
}

/** Eight lower-case hexadecimal digits. */
function hex8(text: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) {
    const c = text[i] as number;
    value = value * 16 + (c < 58 ? c - 48 : c - 87);
  }
  return value;
}
