// SPDX-License-Identifier: MIT
/** BTF of an object file, of the running kernel or of a module: types by name, structures with their members, enums, variables. */
import { readFileSync } from 'node:fs';
import { cString } from './arguments.js';
import { BtfKind, type BtfMember, type BtfVariable } from './btf-kinds.js';
import { BtfTable, badBtf, MAX_DEPTH } from './btf-table.js';
import { elfSection } from './elf.js';
import { BpfError } from './errors.js';
import { say } from './words.js';

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');

export class Btf extends BtfTable {
  /** The .BTF section of an object file. Throws `BpfError` when there is none. */
  static fromElf(elf: Uint8Array): Btf {
    const section = elfSection(elf, '.BTF');
    if (section === null)
      throw badBtf('the object has no .BTF section', 'build it with clang -g and strip it with llvm-strip -g only');
    return new Btf(section);
  }

  /** A file of raw BTF, or an ELF file with a .BTF section (an object, a vmlinux). Throws `BpfError`. */
  static fromFile(path: string): Btf {
    const bytes = read(path, say`read the BTF of ${path}`, '');
    return bytes.subarray(0, 4).equals(ELF_MAGIC) ? Btf.fromElf(bytes) : new Btf(bytes);
  }

  /** The running kernel's BTF. Throws `BpfError` when the kernel does not show it. */
  static vmlinux(path: string = '/sys/kernel/btf/vmlinux'): Btf {
    return new Btf(read(path, "read the kernel's BTF", 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y'));
  }

  /** A loaded module's BTF, on top of the kernel's. Throws `BpfError`. */
  static module(name: string, kernel: Btf = Btf.vmlinux()): Btf {
    const what = say`read the BTF of module ${name}`;
    cString(name, what);
    const remedy = 'load the module; it must have been built for this kernel with BTF (CONFIG_DEBUG_INFO_BTF_MODULES)';
    return new Btf(read(`/sys/kernel/btf/${name.replaceAll('-', '_')}`, what, remedy), kernel);
  }

  /** Whether the BTF names that function. In the kernel's BTF this does not mean that it can be traced. */
  hasFunc(name: string): boolean {
    return this.find(BtfKind.Func, name) !== 0;
  }

  /** Arguments of a tracepoint, as a BTF program on it finds them; null when there is no such tracepoint. */
  tracepointArguments(name: string): number | null {
    const typedef = this.find(BtfKind.Typedef, `btf_trace_${cString(name, 'find a tracepoint')}`);
    if (typedef === 0) return null;
    const prototype = this.target(this.target(typedef));
    if (this.kind(prototype) !== BtfKind.FuncProto) return null;
    // The first one is the kernel's own: the probe's private data.
    return this.vlen(prototype) - 1;
  }

  /** Enumerators by name in order of definition, of an enum or enum64; null when no type has that name. Values beyond 2^53 lose bits. */
  enumeration(name: string): Record<string, number> | null {
    const id = this.find(BtfKind.Enum, name) || this.find(BtfKind.Enum64, name);
    if (id === 0) return null;
    return Object.fromEntries(this.enumerators(id).map(({ name, value }) => [name, Number(value)]));
  }

  /** Size and members of a struct or union; null when no type has that name. */
  struct(name: string): { readonly size: number; readonly members: readonly BtfMember[] } | null {
    const id = this.find(BtfKind.Struct, name) || this.find(BtfKind.Union, name);
    return id === 0 ? null : { size: this.sizeOf(id), members: this.members(id) };
  }

  /** Whether a struct or union has such a member; those of anonymous structs and unions in it count as its own. false when no type has that name. */
  hasMember(type: string, member: string): boolean {
    const id = this.find(BtfKind.Struct, type) || this.find(BtfKind.Union, type);
    const within = (id: number, depth: number): boolean => {
      if (depth === MAX_DEPTH) throw badBtf(`type ${id} refers to itself`);
      return this.members(id).some(({ name, type }) => {
        if (name !== '') return name === member;
        const inner = this.skip(type);
        const nested = this.kind(inner) === BtfKind.Struct || this.kind(inner) === BtfKind.Union;
        return nested && within(inner, depth + 1);
      });
    };
    return id !== 0 && within(id, 0);
  }

  /** Members of the struct or union `id`. */
  members(id: number): BtfMember[] {
    const bitfields = this.info(id) >>> 31 === 1;
    return Array.from({ length: this.vlen(id) }, (_, i) => {
      const at = 12 + 12 * i;
      const type = this.word(id, at + 4);
      const raw = this.word(id, at + 8);
      // kind_flag: the upper 8 bits of the offset are a bitfield's width (struct btf_member).
      const width = bitfields ? raw >>> 24 : 0;
      const bit = bitfields ? raw & 0xffffff : raw;
      return {
        name: this.string(this.word(id, at)),
        type,
        offset: bit >>> 3,
        size: this.sizeOf(type),
        length: this.#array(type).length,
        bits: width === 0 ? null : { offset: bit, width },
      };
    });
  }

  /** Variables of a section such as `.rodata`; null when the object has no such section. */
  datasec(name: string): BtfVariable[] | null {
    const id = this.find(BtfKind.Datasec, name);
    if (id === 0) return null;
    return Array.from({ length: this.vlen(id) }, (_, i) => {
      const at = 12 + 12 * i;
      const variable = this.word(id, at);
      const type = this.target(variable);
      const plain = this.skip(type);
      return {
        name: this.name(variable),
        offset: this.word(id, at + 4),
        size: this.word(id, at + 8),
        type,
        // BTF_INT_ENCODING: bit 0 of the top byte is BTF_INT_SIGNED.
        signed: this.kind(plain) === BtfKind.Int && ((this.word(plain, 12) >>> 24) & 1) === 1,
      };
    });
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
        return this.word(element, 8) * length;
      default:
        return 0;
    }
  }

  /** Through arrays: the product of all dimensions (1 for what is no array) and the type of one element. */
  #array(id: number): { length: number; element: number } {
    let length = 1;
    let type = this.skip(id);
    for (let depth = 0; this.kind(type) === BtfKind.Array; depth++) {
      if (depth === MAX_DEPTH) throw badBtf(`type ${id} refers to itself`);
      const dimension = this.arrayOf(type);
      length *= dimension.length;
      type = this.skip(dimension.type);
    }
    return { length, element: type };
  }
}

function read(path: string, what: string, remedy: string): Buffer {
  try {
    return readFileSync(cString(path, what));
  } catch (cause) {
    if (cause instanceof BpfError) throw cause;
    throw new BpfError({ what, why: `${path} cannot be read`, remedy, code: 'ERR_BPF_INPUT' }, { cause });
  }
}
