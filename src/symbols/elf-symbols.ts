// SPDX-License-Identifier: MIT
/**
 * The functions an executable or shared object names, and where they lie: program headers, .symtab, else .dynsym.
 * Only those parts of the file are read. Names stay as the compiler mangled them.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { lastAtMost } from './sorted.js';

/** `length` bytes of the file from `position` on, fewer where it ends, in memory aligned to 4. May reject as reads do. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const PT_LOAD = 1;
const PF_X = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHN_UNDEF = 0;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;
/** More program headers or sections than any linker makes: the file is broken, or made to keep us busy. */
const MAX_HEADERS = 65_536;
/** A symbol table with its strings beyond this is left unread: those of a browser with all its symbols. */
export const MAX_TABLE_BYTES: number = 64 << 20;
/** How far a symbol without a size (a label in assembler) may reach: at most this, and never beyond its section or the next symbol. */
const MAX_UNSIZED = 1 << 16;
const HIGH = 2 ** 32;

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

interface Functions {
  /** Ascending, each once. */
  readonly starts: Float64Array;
  readonly sizes: Float64Array;
  readonly names: Uint32Array;
  readonly strings: Buffer;
}

const NO_FUNCTIONS: Functions = {
  starts: new Float64Array(0),
  sizes: new Float64Array(0),
  names: new Uint32Array(0),
  strings: Buffer.alloc(0),
};

export class ElfSymbols {
  /** Memory held, in bytes. */
  readonly bytes: number;
  readonly #segments: readonly Segment[];
  readonly #functions: Functions;

  private constructor(segments: readonly Segment[], functions: Functions) {
    this.#segments = segments;
    this.#functions = functions;
    this.bytes = functions.strings.length + functions.starts.length * 20 + 256;
  }

  /** null when it is no little-endian ELF64 file, or a broken one. Rejects when reading does. */
  static async read(readAt: ReadAt): Promise<ElfSymbols | null> {
    const head = await readAt(0, HEADER);
    if (head.length < HEADER || head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2 || head[5] !== 1) return null;
    const programs = await table(readAt, u64(head, 32), head.readUInt16LE(54), head.readUInt16LE(56), PROGRAM_HEADER);
    if (programs === null) return null;
    const segments = executable(programs);
    if (segments.length === 0) return null;
    // A file without section headers (sstrip, a vdso in memory may be so) still translates addresses.
    const sections = await table(readAt, u64(head, 40), head.readUInt16LE(58), head.readUInt16LE(60), SECTION_HEADER);
    const functions = sections === null ? null : await readFunctions(readAt, sections);
    return new ElfSymbols(segments, functions ?? NO_FUNCTIONS);
  }

  get functions(): number {
    return this.#functions.starts.length;
  }

  /** Offset in the file → address as the file itself counts (what objdump and addr2line take); null outside its code. */
  address(fileOffset: number): number | null {
    for (const { offset, address, size } of this.#segments)
      if (fileOffset >= offset && fileOffset < offset + size) return fileOffset - offset + address;
    return null;
  }

  /** The function `address` (as `address()` gives it) lies in; null between functions that are named. */
  symbol(address: number): { name: string; offset: number } | null {
    const { starts, sizes, names, strings } = this.#functions;
    // A function may hold another (a label in assembler): look back a little for one that reaches this far.
    for (let i = lastAtMost(starts, address), tries = 0; i >= 0 && tries < 8; i--, tries++) {
      const offset = address - (starts[i] as number);
      if (offset >= (sizes[i] as number)) continue;
      const at = names[i] as number;
      const end = strings.indexOf(0, at);
      return { name: strings.toString('utf8', at, end < 0 ? strings.length : end), offset };
    }
    return null;
  }
}

function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * HIGH + bytes.readUInt32LE(at);
}

/** A table of headers, null when there is none or it cannot be one. */
async function table(
  readAt: ReadAt,
  position: number,
  size: number,
  count: number,
  expected: number,
): Promise<Buffer | null> {
  if (size !== expected || count === 0 || count > MAX_HEADERS || position === 0) return null;
  if (!Number.isSafeInteger(position + size * count)) return null;
  const bytes = await readAt(position, size * count);
  return bytes.length === size * count ? bytes : null;
}

/** What is mapped to be executed: the offset in the file says which segment, and that is all a load bias needs. */
function executable(programs: Buffer): Segment[] {
  const segments: Segment[] = [];
  for (let at = 0; at < programs.length; at += PROGRAM_HEADER) {
    if (programs.readUInt32LE(at) !== PT_LOAD || (programs.readUInt32LE(at + 4) & PF_X) === 0) continue;
    segments.push({ offset: u64(programs, at + 8), address: u64(programs, at + 16), size: u64(programs, at + 32) });
  }
  return segments;
}

/** .symtab names all functions, .dynsym what others may call; a stripped file has only the latter. */
async function readFunctions(readAt: ReadAt, sections: Buffer): Promise<Functions | null> {
  for (const type of [SHT_SYMTAB, SHT_DYNSYM]) {
    for (let at = 0; at < sections.length; at += SECTION_HEADER) {
      if (sections.readUInt32LE(at + 4) !== type) continue;
      const linked = sections.readUInt32LE(at + 40) * SECTION_HEADER;
      if (linked >= sections.length) continue;
      const [size, textSize] = [u64(sections, at + 32), u64(sections, linked + 32)];
      if (size + textSize > MAX_TABLE_BYTES) continue;
      const symbols = await readAt(u64(sections, at + 24), size);
      const strings = await readAt(u64(sections, linked + 24), textSize);
      const functions = await pickFunctions(symbols, strings, sections);
      if (functions.starts.length > 0) return functions;
    }
  }
  return null;
}

/** Keeps the index of a symbol in the low bits of its sort key: typed arrays sort numbers fast, and objects slowly. */
const INDEX_BITS = 22;
/** Symbols looked at without a break: others have their turn every few milliseconds. */
const SLICE = 1 << 13;
/** Elf64_Sym in 32-bit words: st_name; st_info, st_other, st_shndx; st_value; st_size. */
const WORDS = SYMBOL / 4;

async function pickFunctions(bytes: Buffer, strings: Buffer, sections: Buffer): Promise<Functions> {
  const count = Math.min(Math.floor(bytes.length / SYMBOL), 1 << INDEX_BITS);
  const symbols = new Uint32Array(bytes.buffer, bytes.byteOffset, count * WORDS);
  let lowest = Number.POSITIVE_INFINITY;
  let kept = 0;
  const wanted = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    if (i % SLICE === SLICE - 1) await breathe();
    const at = i * WORDS;
    const info = symbols[at + 1] as number;
    const type = info & 15;
    if ((type !== STT_FUNC && type !== STT_GNU_IFUNC) || info >>> 16 === SHN_UNDEF) continue;
    if ((symbols[at] as number) >= strings.length) continue;
    wanted[kept++] = i;
    lowest = Math.min(lowest, value(symbols, at));
  }
  const keys = new Float64Array(kept);
  let sortable = 0;
  for (let k = 0; k < kept; k++) {
    if (k % SLICE === SLICE - 1) await breathe();
    const i = wanted[k] as number;
    const distance = value(symbols, i * WORDS) - lowest;
    if (distance < 2 ** (53 - INDEX_BITS)) keys[sortable++] = distance * 2 ** INDEX_BITS + i;
  }
  await breathe();
  const functions = await unique(keys.subarray(0, sortable).sort(), symbols, strings);
  return { ...functions, sizes: sized(functions, sections) };
}

function value(symbols: Uint32Array, at: number): number {
  return (symbols[at + 3] as number) * HIGH + (symbols[at + 2] as number);
}

/** One name per address: the one people know. Where it has no size, `sizes` holds minus the number of its section. */
async function unique(keys: Float64Array, symbols: Uint32Array, strings: Buffer): Promise<Functions> {
  const starts = new Float64Array(keys.length);
  const sizes = new Float64Array(keys.length);
  const names = new Uint32Array(keys.length);
  let n = 0;
  for (let k = 0; k < keys.length; k++) {
    if (k % SLICE === SLICE - 1) await breathe();
    const at = ((keys[k] as number) % 2 ** INDEX_BITS) * WORDS;
    const start = value(symbols, at);
    const name = symbols[at] as number;
    const same = n > 0 && starts[n - 1] === start;
    if (same && rank(strings, name) >= rank(strings, names[n - 1] as number)) continue;
    if (!same) n++;
    starts[n - 1] = start;
    const size = (symbols[at + 5] as number) * HIGH + (symbols[at + 4] as number);
    sizes[n - 1] = size === 0 ? -((symbols[at + 1] as number) >>> 16) : size;
    names[n - 1] = name;
  }
  return { starts: starts.slice(0, n), sizes: sizes.slice(0, n), names: names.slice(0, n), strings };
}

/** `sizes` with how far a symbol without one can reach. */
function sized({ starts, sizes }: Functions, sections: Buffer): Float64Array {
  return sizes.map((size, i) => {
    if (size > 0) return size;
    const start = starts[i] as number;
    const section = -size * SECTION_HEADER;
    if (section >= sections.length) return 0;
    const end = u64(sections, section + 16) + u64(sections, section + 32);
    return Math.min(MAX_UNSIZED, end - start, (starts[i + 1] ?? end) - start);
  });
}

/** `malloc` before `__libc_malloc`: leading underscores mark the inner name. */
function rank(strings: Buffer, at: number): number {
  let underscores = 0;
  while (strings[at + underscores] === 0x5f) underscores++;
  return underscores;
}
