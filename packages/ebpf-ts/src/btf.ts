// SPDX-License-Identifier: MIT
/**
 * Reads BTF (Documentation/bpf/btf.rst) of an object file or of the running kernel.
 *
 * The kernel's BTF has some 150 000 types. Opening it makes one pass that only notes where each type begins; names
 * are compared in place and nothing is turned into a string or an object before it is asked for.
 * Split BTF (of kernel modules) is not read.
 */
import { readFileSync } from 'node:fs';
import { BtfKind, type BtfMember, type BtfVariable, TAIL } from './btf-kinds.js';
import { elfSection } from './elf.js';
import { BpfError } from './errors.js';

const MAGIC = 0xeb9f;
/** Qualifiers or array dimensions in a row; the kernel's resolver gives up at 32 (MAX_RESOLVE_DEPTH). */
const MAX_DEPTH = 32;

export class Btf {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #strings: number;
  /** Where type id begins; id 0 is void and has no place. */
  readonly #at: Uint32Array;
  /** Type ids are 1 … count - 1. */
  readonly count: number;

  /** Raw BTF. Throws `BpfError` when the bytes are no BTF of this machine's byte order, or are cut off. */
  constructor(bytes: Uint8Array) {
    const bad = (why: string): BpfError =>
      new BpfError({ what: 'read BTF', why, remedy: 'rebuild the object with clang -g -target bpf' });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24) throw bad('cut off within its header');
    if (view.getUint16(0, true) !== MAGIC) throw bad('bad magic number');
    const header = view.getUint32(4, true);
    const types = header + view.getUint32(8, true);
    const typesEnd = types + view.getUint32(12, true);
    this.#strings = header + view.getUint32(16, true);
    if (typesEnd > bytes.length || this.#strings + view.getUint32(20, true) > bytes.length) throw bad('cut off');
    const at = new Uint32Array(Math.floor((typesEnd - types) / 12) + 1);
    let count = 1;
    for (let p = types; p < typesEnd; ) {
      if (p + 12 > typesEnd) throw bad('a type reaches beyond the type section');
      const info = view.getUint32(p + 4, true);
      const tail = TAIL[(info >>> 24) & 0x1f];
      if (tail === undefined) throw bad(`type ${count} is of a kind unknown here (${(info >>> 24) & 0x1f})`);
      at[count++] = p;
      p += 12 + tail[0] + tail[1] * (info & 0xffff);
      if (p > typesEnd) throw bad('a type reaches beyond the type section');
    }
    this.#bytes = bytes;
    this.#view = view;
    this.#at = at;
    this.count = count;
  }

  /** The .BTF section of an object file. Throws `BpfError` when there is none. */
  static fromElf(elf: Uint8Array): Btf {
    const section = elfSection(elf, '.BTF');
    if (section === null) {
      throw new BpfError({
        what: 'read BTF',
        why: 'the object has no .BTF section',
        remedy: 'build it with clang -g and strip it with llvm-strip -g only',
      });
    }
    return new Btf(section);
  }

  /** The running kernel's BTF. Throws `BpfError` when the kernel does not show it. */
  static vmlinux(path: string = '/sys/kernel/btf/vmlinux'): Btf {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      throw new BpfError(
        {
          what: "read the kernel's BTF",
          why: `${path} cannot be read`,
          remedy: 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y',
        },
        { cause },
      );
    }
    return new Btf(bytes);
  }

  kind(id: number): number {
    return id === 0 ? BtfKind.Void : (this.#view.getUint32(this.#place(id) + 4, true) >>> 24) & 0x1f;
  }

  name(id: number): string {
    return id === 0 ? 'void' : this.#string(this.#view.getUint32(this.#place(id), true));
  }

  /** First type of that kind and name, or 0 (void) when there is none. */
  find(kind: number, name: string): number {
    const wanted = Buffer.from(`${name}\0`);
    for (let id = 1; id < this.count; id++) {
      const p = this.#at[id] as number;
      if (((this.#view.getUint32(p + 4, true) >>> 24) & 0x1f) !== kind) continue;
      if (this.#equals(this.#strings + this.#view.getUint32(p, true), wanted)) return id;
    }
    return 0;
  }

  /** Whether the BTF names that function. In the kernel's BTF this does not mean that it can be traced. */
  hasFunc(name: string): boolean {
    return this.find(BtfKind.Func, name) !== 0;
  }

  /** Arguments of a tracepoint, as a BTF program on it finds them; null when there is no such tracepoint. */
  tracepointArguments(name: string): number | null {
    const typedef = this.find(BtfKind.Typedef, `btf_trace_${name}`);
    if (typedef === 0) return null;
    const target = (id: number): number => this.#view.getUint32(this.#place(id) + 8, true);
    const prototype = target(target(typedef));
    if (this.kind(prototype) !== BtfKind.FuncProto) return null;
    // The first one is the kernel's own: the probe's private data.
    return (this.#view.getUint32(this.#place(prototype) + 4, true) & 0xffff) - 1;
  }

  /** Enumerators by name in order of definition, of an enum or enum64; null when there is none of that name. Values beyond 2^53 lose bits. */
  enumeration(name: string): Record<string, number> | null {
    const id = this.find(BtfKind.Enum, name) || this.find(BtfKind.Enum64, name);
    if (id === 0) return null;
    const view = this.#view;
    const p = this.#place(id);
    const info = view.getUint32(p + 4, true);
    const signed = info >>> 31 === 1;
    const wide = this.kind(id) === BtfKind.Enum64;
    const values: Record<string, number> = {};
    for (let i = 0, q = p + 12; i < (info & 0xffff); i++, q += wide ? 12 : 8) {
      const low = signed && !wide ? view.getInt32(q + 4, true) : view.getUint32(q + 4, true);
      const high = wide ? (signed ? view.getInt32(q + 8, true) : view.getUint32(q + 8, true)) : 0;
      values[this.#string(view.getUint32(q, true))] = high * 2 ** 32 + low;
    }
    return values;
  }

  /** Size and members of a struct or union; null when there is none of that name. */
  struct(name: string): { readonly size: number; readonly members: readonly BtfMember[] } | null {
    const id = this.find(BtfKind.Struct, name) || this.find(BtfKind.Union, name);
    return id === 0 ? null : { size: this.sizeOf(id), members: this.members(id) };
  }

  /** Members of the struct or union `id`. */
  members(id: number): BtfMember[] {
    const view = this.#view;
    const p = this.#place(id);
    const info = view.getUint32(p + 4, true);
    const members: BtfMember[] = [];
    for (let i = 0, q = p + 12; i < (info & 0xffff); i++, q += 12) {
      const type = view.getUint32(q + 4, true);
      const raw = view.getUint32(q + 8, true);
      // kind_flag: the upper 8 bits of the offset are a bitfield's width (struct btf_member).
      const width = info >>> 31 === 1 ? raw >>> 24 : 0;
      const bit = info >>> 31 === 1 ? raw & 0xffffff : raw;
      members.push({
        name: this.#string(view.getUint32(q, true)),
        type,
        offset: bit >>> 3,
        size: this.sizeOf(type),
        length: this.#array(type).length,
        bits: width === 0 ? null : { offset: bit, width },
      });
    }
    return members;
  }

  /** Variables of a section such as `.rodata`; null when the object has no such section. */
  datasec(name: string): BtfVariable[] | null {
    const id = this.find(BtfKind.Datasec, name);
    if (id === 0) return null;
    const view = this.#view;
    const p = this.#place(id);
    const variables: BtfVariable[] = [];
    for (let i = 0, q = p + 12; i < (view.getUint32(p + 4, true) & 0xffff); i++, q += 12) {
      const variable = view.getUint32(q, true);
      const type = this.#skip(view.getUint32(this.#place(variable) + 8, true));
      // BTF_INT_ENCODING: bit 0 of the top byte is BTF_INT_SIGNED.
      const signed =
        this.kind(type) === BtfKind.Int && ((view.getUint32(this.#place(type) + 12, true) >>> 24) & 1) === 1;
      variables.push({
        name: this.name(variable),
        offset: view.getUint32(q + 4, true),
        size: view.getUint32(q + 8, true),
        signed,
      });
    }
    return variables;
  }

  /** Bytes of a type, through typedefs and qualifiers; a pointer has 8. 0 for void and functions. */
  sizeOf(id: number): number {
    const { length, element } = this.#array(id);
    switch (this.kind(element)) {
      case BtfKind.Ptr:
        return 8 * length;
      case BtfKind.Int:
      case BtfKind.Struct:
      case BtfKind.Union:
      case BtfKind.Enum:
      case BtfKind.Enum64:
      case BtfKind.Float:
      case BtfKind.Datasec:
        return this.#view.getUint32(this.#place(element) + 8, true) * length;
      default:
        return 0;
    }
  }

  /** Through arrays: the product of all dimensions (1 for what is no array) and the type of one element. */
  #array(id: number): { length: number; element: number } {
    let length = 1;
    let type = this.#skip(id);
    for (let depth = 0; this.kind(type) === BtfKind.Array; depth++) {
      if (depth === MAX_DEPTH) throw this.#endless(id);
      const p = this.#place(type);
      length *= this.#view.getUint32(p + 20, true);
      type = this.#skip(this.#view.getUint32(p + 12, true));
    }
    return { length, element: type };
  }

  /** Through typedef, const, volatile, restrict and type tags to what is behind. */
  #skip(id: number): number {
    for (let type = id, steps = 0; steps < MAX_DEPTH; steps++) {
      const kind = this.kind(type);
      const through = (kind >= BtfKind.Typedef && kind <= BtfKind.Restrict) || kind === BtfKind.TypeTag;
      if (!through) return type;
      type = this.#view.getUint32(this.#place(type) + 8, true);
    }
    throw this.#endless(id);
  }

  #endless(id: number): BpfError {
    return new BpfError({ what: 'read BTF', why: `type ${id} refers to itself`, remedy: '' });
  }

  #place(id: number): number {
    const at = id > 0 && id < this.count ? this.#at[id] : undefined;
    if (at === undefined) throw new BpfError({ what: 'read BTF', why: `no type ${id}`, remedy: '' });
    return at;
  }

  #string(offset: number): string {
    const start = this.#strings + offset;
    const end = start < this.#bytes.length ? this.#bytes.indexOf(0, start) : -1;
    if (end < 0) throw new BpfError({ what: 'read BTF', why: 'a name lies outside its strings', remedy: '' });
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('latin1');
  }

  #equals(at: number, wanted: Uint8Array): boolean {
    for (let i = 0; i < wanted.length; i++) if (this.#bytes[at + i] !== wanted[i]) return false;
    return true;
  }
}
