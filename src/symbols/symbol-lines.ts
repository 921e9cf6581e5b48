// SPDX-License-Identifier: MIT
/** Lines `ffffffff81000000 T name\t[module]` of /proc/kallsyms, of which those of code are kept: their addresses and names. */

/** Kernel addresses are kept as numbers above this one: the upper half of a 47-bit (x86-64) or 48-bit (arm64) split. */
export const BASE = 0xffff_8000_0000_0000n;
const BASE_HIGH = 0xffff_8000;
const HIGH = 2 ** 32;

export const NEWLINE = 10;
const DIGITS = 16;
/** The shortest line: 16 digits, blank, type, blank, one letter, newline. */
const SHORTEST = DIGITS + 5;
/** Symbols between two pauses of `sorted`. */
const AT_ONCE = 1 << 14;

/** `t T w W` of nm: code. The rest is data, per-CPU offsets and absolute values, which no stack and no `->fault` names. */
const isText = (type: number): boolean => (type | 0x20) === 0x74 || (type | 0x20) === 0x77;

export interface SortedSymbols {
  /** Ascending, as distance from `BASE`. */
  readonly starts: Float64Array;
  /** Where each name begins in `names`, ascending as well. */
  readonly offsets: Uint32Array;
  /** `\nname\nname\t[module]\n…` */
  readonly names: Buffer;
}

export class SymbolLines {
  /** How many symbols of code there are so far. */
  count = 0;
  /** There were addresses of 0. */
  hidden = false;
  #starts = new Float64Array(1 << 16);
  /** Where a name begins in `#names`. */
  #offsets = new Uint32Array(1 << 16);
  #names: Buffer = Buffer.allocUnsafeSlow(1 << 20);
  #end = 0;
  /** The beginning of a line that the next piece goes on with. */
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next piece of the file, which may end anywhere. It is not kept. */
  add(piece: Buffer): void {
    let from = 0;
    if (this.#rest.length > 0) {
      from = piece.indexOf(NEWLINE) + 1;
      this.#rest = Buffer.concat([this.#rest, from > 0 ? piece.subarray(0, from) : piece]);
      if (from === 0) return;
      this.#scan(this.#rest);
    }
    const to = piece.lastIndexOf(NEWLINE) + 1;
    if (to > from) this.#scan(piece.subarray(from, to));
    this.#rest = Buffer.from(piece.subarray(Math.max(from, to)));
  }

  /** The last line may lack its newline. */
  finish(): void {
    this.#scan(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  /**
   * By address: vmlinux comes in order, modules do not. Stable: of several names of one address the first stays first, which is
   * the one the kernel itself prints (get_symbol_pos). Yields now and then, for whoever has other things to do meanwhile.
   */
  *sorted(): Generator<void, SortedSymbols> {
    // A plain array, whose sort takes runs as they are.
    const order = Array.from({ length: this.count }, (_, i) => i);
    yield;
    order.sort((a, b) => (this.#starts[a] as number) - (this.#starts[b] as number));
    yield;
    const starts = new Float64Array(this.count);
    const offsets = new Uint32Array(this.count);
    const names = Buffer.allocUnsafeSlow(this.#end + 1);
    names[0] = NEWLINE;
    let at = 1;
    for (const [to, from] of order.entries()) {
      starts[to] = this.#starts[from] as number;
      offsets[to] = at;
      const end = from + 1 < this.count ? (this.#offsets[from + 1] as number) : this.#end;
      at += this.#names.copy(names, at, this.#offsets[from], end);
      if (to % AT_ONCE === AT_ONCE - 1) yield;
    }
    return { starts, offsets, names };
  }

  #scan(text: Buffer): void {
    for (let at = 0; at + SHORTEST - 1 <= text.length; ) {
      const found = text.indexOf(NEWLINE, at + DIGITS);
      const end = found < 0 ? text.length : found;
      const name = at + DIGITS + 3;
      if (end > name && isText(text[at + DIGITS + 1] as number)) {
        const high = hex8(text, at);
        if (high >= BASE_HIGH) this.#keep((high - BASE_HIGH) * HIGH + hex8(text, at + 8), text, name, end);
        else if (high === 0) this.hidden = true;
      }
      at = end + 1;
    }
  }

  #keep(start: number, text: Buffer, from: number, to: number): void {
    if (this.count === this.#starts.length) {
      this.#starts = twice(this.#starts, new Float64Array(this.count * 2));
      this.#offsets = twice(this.#offsets, new Uint32Array(this.count * 2));
    }
    const end = this.#end + to - from + 1;
    if (end > this.#names.length) this.#names = twice(this.#names, Buffer.allocUnsafeSlow(end * 2));
    this.#starts[this.count] = start;
    this.#offsets[this.count++] = this.#end;
    text.copy(this.#names, this.#end, from, to);
    this.#names[end - 1] = NEWLINE;
    this.#end = end;
  }
}

function twice<T extends Float64Array | Uint32Array | Buffer>(from: T, to: T): T {
  to.set(from);
  return to;
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
