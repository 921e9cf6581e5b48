// SPDX-License-Identifier: MIT
/** The kernel's own names for its code: the text symbols of /proc/kallsyms, sorted by address. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { errorCode } from '../errors.js';
import { lastAtMost } from './sorted.js';
import { BASE, NEWLINE, type SortedSymbols, SymbolLines } from './symbol-lines.js';

/** No function is longer: an address further behind a symbol is not its code (kallsyms has no sizes). */
const LONGEST = 1 << 20;

/** What a read gives, whatever is asked for (seq_file). */
const PAGE = 4096;
/** ms that a turn takes at least; where the processor is slow, a page may take more. */
const TURN_MS = 2;

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

  private constructor({ starts, offsets, names }: SortedSymbols) {
    this.#starts = starts;
    this.#offsets = offsets;
    this.#names = names;
  }

  /** The symbols, or null where they are hidden or cannot be read: `attempt` says why. */
  static load(path = '/proc/kallsyms'): Kallsyms | null {
    return Kallsyms.attempt(path).kallsyms;
  }

  static attempt(path = '/proc/kallsyms'): KallsymsAttempt {
    return readNow(path, (fd) => {
      const lines = new SymbolLines();
      for (const piece of piecesOf(fd)) lines.add(piece);
      return Kallsyms.#made(path, lines);
    });
  }

  /**
   * The same from a file that is open, in turns of some milliseconds: megabytes in one turn would keep the ring and the screen
   * waiting for a tenth of a second and more. Never rejects.
   */
  static async inTurns(fd: number, path: string): Promise<KallsymsAttempt> {
    try {
      const lines = new SymbolLines();
      let began = performance.now();
      for (const piece of piecesOf(fd)) {
        lines.add(piece);
        if (performance.now() - began < TURN_MS) continue;
        await turn();
        began = performance.now();
      }
      const making = Kallsyms.#making(path, lines);
      for (;;) {
        const { done, value } = making.next();
        if (done) return value;
        await turn();
      }
    } catch (error) {
      return unreadable(path, error);
    }
  }

  /** `text`: all of /proc/kallsyms; `path` is for the wording alone. */
  static parse(text: Buffer, path: string): KallsymsAttempt {
    const lines = new SymbolLines();
    lines.add(text);
    return Kallsyms.#made(path, lines);
  }

  static #made(path: string, lines: SymbolLines): KallsymsAttempt {
    const making = Kallsyms.#making(path, lines);
    for (;;) {
      const { done, value } = making.next();
      if (done) return value;
    }
  }

  static *#making(path: string, lines: SymbolLines): Generator<void, KallsymsAttempt> {
    lines.finish();
    if (lines.count > 0) return { kallsyms: new Kallsyms(yield* lines.sorted()), why: '' };
    // kallsyms_show_value(): zeros for a process that lacks CAP_SYSLOG at open, and for everybody at kptr_restrict=2.
    const why = lines.hidden
      ? `${path}: the kernel hides its addresses (kernel.kptr_restrict, or CAP_SYSLOG is missing)`
      : `${path}: no symbols of code in it`;
    return { kallsyms: null, why };
  }

  get size(): number {
    return this.#starts.length;
  }

  /** Address of a function; null when no function has that name, or several have: a wrong one would be worse. vmlinux comes before modules. */
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

const unreadable = (path: string, error: unknown): KallsymsAttempt => ({
  kallsyms: null,
  why: `${path}: ${errorCode(error) || String(error)}`,
});

function readNow(path: string, take: (fd: number) => KallsymsAttempt): KallsymsAttempt {
  try {
    const fd = openSync(path, 'r');
    try {
      return take(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return unreadable(path, error);
  }
}

/** The file a page at a time, each in the same buffer. */
function* piecesOf(fd: number): Generator<Buffer, void> {
  const buffer = Buffer.allocUnsafeSlow(PAGE);
  for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) yield buffer.subarray(0, read);
}
