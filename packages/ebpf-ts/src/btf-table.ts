// SPDX-License-Identifier: MIT
/**
 * The type table of BTF (Documentation/bpf/btf.rst), by number: what a type is, what it refers to, its parts.
 *
 * The kernel's BTF has some 150 000 types. Opening it makes one pass that only notes where each type begins; who looks
 * for a name first has them sorted by a hash of theirs, and nothing is turned into a string or an object before it is asked for.
 * Split BTF (of a kernel module) goes on where its base ends: its ids and its strings are numbered on from there.
 */

import { cString, plainBytes } from './arguments.js';
import { BtfKind, TAIL } from './btf-kinds.js';
import { BpfError, misuse } from './errors.js';
import { say, shown } from './words.js';

const MAGIC = 0xeb9f;
const HEADER = 24;
/** Qualifiers or array dimensions in a row; the kernel's resolver gives up at 32 (MAX_RESOLVE_DEPTH). */
export const MAX_DEPTH = 32;

export function badBtf(why: string, remedy: string = ''): BpfError {
  return new BpfError({ what: 'read BTF', why, remedy, code: 'ERR_BPF_INPUT' });
}

/** Types by a hash of their names: the first of each list, and for each type the next one. By number, from 1 on. */
interface Named {
  readonly heads: Uint32Array;
  readonly next: Uint32Array;
}

function slot(hash: number, { length }: Uint32Array): number {
  return hash & (length - 1);
}

/** FNV-1a of what begins there, up to its NUL. */
function hashOf(bytes: Uint8Array, start: number): number {
  let hash = 0x811c_9dc5;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0) break;
    hash = Math.imul(hash ^ byte, 0x0100_0193);
  }
  return hash ^ (hash >>> 15);
}

export class BtfTable {
  readonly base: BtfTable | null;
  /** Type ids are 1 … count - 1, those of the base among them. */
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #strings: number;
  readonly #stringsLength: number;
  /** Where type `firstId + i` begins; id 0 is void and has no place. */
  readonly #at: Uint32Array;
  readonly #firstId: number;
  readonly #firstString: number;
  /** Set by the first `find`. */
  #named: Named | null = null;

  /** Raw BTF. Throws `BpfError` when the bytes are no BTF of this machine's byte order, or are cut off. */
  constructor(given: Uint8Array, base: BtfTable | null = null) {
    const bytes = plainBytes(given, 'read BTF');
    if (base !== null && !(base instanceof BtfTable))
      throw misuse('ERR_BPF_TYPE', 'read BTF', `expected the BTF it stands on, got ${shown(base)}`);
    const bad = (why: string): BpfError => badBtf(why, 'rebuild the object with clang -g -target bpf');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEADER) throw bad('cut off within its header');
    if (view.getUint16(0, true) !== MAGIC) throw bad('bad magic number');
    const header = view.getUint32(4, true);
    const types = header + view.getUint32(8, true);
    const typesEnd = types + view.getUint32(12, true);
    this.#strings = header + view.getUint32(16, true);
    this.#stringsLength = view.getUint32(20, true);
    if (typesEnd > bytes.length || this.#strings + this.#stringsLength > bytes.length) throw bad('cut off');
    this.base = base;
    this.#firstId = base?.count ?? 1;
    this.#firstString = base === null ? 0 : base.#firstString + base.#stringsLength;
    const at = new Uint32Array(Math.floor((typesEnd - types) / 12) + 1);
    let count = 0;
    for (let p = types; p < typesEnd; ) {
      if (p + 12 > typesEnd) throw bad('a type reaches beyond the type section');
      const info = view.getUint32(p + 4, true);
      const tail = TAIL[(info >>> 24) & 0x1f];
      if (tail === undefined)
        throw bad(`type ${this.#firstId + count} is of a kind unknown here (${(info >>> 24) & 0x1f})`);
      at[count++] = p;
      p += 12 + tail[0] + tail[1] * (info & 0xffff);
      if (p > typesEnd) throw bad('a type reaches beyond the type section');
    }
    this.#bytes = bytes;
    this.#view = view;
    this.#at = at;
    this.count = this.#firstId + count;
  }

  /** A `BtfKind`. */
  kind(id: number): number {
    return id === 0 ? BtfKind.Void : (this.info(id) >>> 24) & 0x1f;
  }

  /** Empty for what has no name. */
  name(id: number): string {
    return id === 0 ? 'void' : this.string(this.word(id, 0));
  }

  /** First type of that kind and name, or 0 (void) when there is none. */
  find(kind: number, name: string): number {
    const wanted = Buffer.from(`${cString(name, 'find a type')}\0`);
    const found = this.base?.find(kind, name) ?? 0;
    if (found !== 0) return found;
    this.#named ??= this.#sort();
    const { heads, next } = this.#named;
    for (let i = heads[slot(hashOf(wanted, 0), heads)] ?? 0; i !== 0; i = next[i] ?? 0) {
      const p = this.#at[i - 1] as number;
      if (((this.#view.getUint32(p + 4, true) >>> 24) & 0x1f) !== kind) continue;
      if (this.#equals(this.#view.getUint32(p, true), wanted)) return this.#firstId + i - 1;
    }
    return 0;
  }

  /** The last type comes first, so that each list has them in order. */
  #sort(): Named {
    const types = this.count - this.#firstId;
    const named = { heads: new Uint32Array(2 ** Math.ceil(Math.log2(types + 1))), next: new Uint32Array(types + 1) };
    for (let i = types; i > 0; i--) {
      const at = slot(this.#hash(this.#view.getUint32(this.#at[i - 1] as number, true)), named.heads);
      named.next[i] = named.heads[at] as number;
      named.heads[at] = i;
    }
    return named;
  }

  #hash(offset: number): number {
    if (offset < this.#firstString && this.base !== null) return this.base.#hash(offset);
    return hashOf(this.#bytes, this.#strings + offset - this.#firstString);
  }

  /** Elements after the type's 12 bytes: members, enumerators, parameters, variables. */
  vlen(id: number): number {
    return this.info(id) & 0xffff;
  }

  /** The type a pointer, typedef, qualifier, function or variable is of. */
  target(id: number): number {
    return this.word(id, 8);
  }

  /** Element type and length of an array, one dimension of it. */
  arrayOf(id: number): { readonly type: number; readonly length: number } {
    return { type: this.word(id, 12), length: this.word(id, 20) };
  }

  /** Enumerators of an enum or enum64, values as 64-bit integers. */
  enumerators(id: number): { readonly name: string; readonly value: bigint }[] {
    const signed = this.info(id) >>> 31 === 1;
    const wide = this.kind(id) === BtfKind.Enum64;
    const stride = wide ? 12 : 8;
    return Array.from({ length: this.vlen(id) }, (_, i) => {
      const at = 12 + i * stride;
      const low = BigInt(this.word(id, at + 4));
      const whole = wide ? (BigInt(this.word(id, at + 8)) << 32n) | low : low;
      return {
        name: this.string(this.word(id, at)),
        value: signed ? BigInt.asIntN(wide ? 64 : 32, whole) : whole,
      };
    });
  }

  /** Through typedef, const, volatile, restrict and type tags to what is behind. */
  skip(id: number): number {
    for (let type = id, steps = 0; steps < MAX_DEPTH; steps++) {
      const kind = this.kind(type);
      const through = (kind >= BtfKind.Typedef && kind <= BtfKind.Restrict) || kind === BtfKind.TypeTag;
      if (!through) return type;
      type = this.target(type);
    }
    throw badBtf(`type ${id} refers to itself`);
  }

  /** The second word of a type: kind, vlen, kind_flag. */
  info(id: number): number {
    return this.word(id, 4);
  }

  /** The u32 at `offset` of type `id`. Throws `BpfError` when there is no such type. */
  word(id: number, offset: number): number {
    if (!Number.isInteger(id) || !Number.isInteger(offset) || offset < 0) throw badBtf(say`no type ${id}`);
    if (id < this.#firstId && this.base !== null) return this.base.word(id, offset);
    const at = id >= this.#firstId && id < this.count ? this.#at[id - this.#firstId] : undefined;
    if (at === undefined || at + offset + 4 > this.#bytes.length) throw badBtf(`no type ${id}`);
    return this.#view.getUint32(at + offset, true);
  }

  /** The string at `offset` of the string table, the base's among them. */
  string(offset: number): string {
    if (!Number.isInteger(offset) || offset < 0) throw badBtf(say`no name at ${offset}`);
    if (offset < this.#firstString && this.base !== null) return this.base.string(offset);
    const start = this.#strings + offset - this.#firstString;
    const end = start < this.#bytes.length ? this.#bytes.indexOf(0, start) : -1;
    if (end < 0) throw badBtf('a name lies outside its strings');
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('latin1');
  }

  #equals(offset: number, wanted: Uint8Array): boolean {
    if (offset < this.#firstString && this.base !== null) return this.base.#equals(offset, wanted);
    const start = this.#strings + offset - this.#firstString;
    for (let i = 0; i < wanted.length; i++) if (this.#bytes[start + i] !== wanted[i]) return false;
    return true;
  }
}
