// SPDX-License-Identifier: MIT
/** The CO-RE relocations of an object: section .BTF.ext (Documentation/bpf/btf.rst, llvm_reloc.rst). */
import { Btf } from './btf.js';
import { BtfKind } from './btf-kinds.js';
import { badBtf } from './btf-table.js';
import { elfSection, functionAt, functionsOf } from './elf.js';

/** `enum bpf_core_relo_kind`, include/uapi/linux/bpf.h */
export const CoreKind = {
  FieldByteOffset: 0,
  FieldByteSize: 1,
  FieldExists: 2,
  FieldSigned: 3,
  FieldLshift: 4,
  FieldRshift: 5,
  TypeIdLocal: 6,
  TypeIdTarget: 7,
  TypeExists: 8,
  TypeSize: 9,
  EnumvalExists: 10,
  EnumvalValue: 11,
  TypeMatches: 12,
} as const;

/** One step of an access: a member by its name, or an array element. */
export interface Accessor {
  /** The struct or union the member is of; the element's type. */
  readonly type: number;
  readonly index: number;
  /** Null for an element. */
  readonly name: string | null;
}

export interface Relocation {
  readonly section: string;
  /** The function the instruction is in; the section's name when the object has no symbol there. */
  readonly program: string;
  /** Bytes from the section's start. */
  readonly offset: number;
  readonly kind: number;
  /** The local type. */
  readonly type: number;
  readonly accessors: readonly Accessor[];
  /** Index of the enumerator, for enumerator relocations. */
  readonly enumerator: number;
}

export const isField = (kind: number): boolean => kind <= CoreKind.FieldRshift;
export const isEnumerator = (kind: number): boolean =>
  kind === CoreKind.EnumvalExists || kind === CoreKind.EnumvalValue;

/** bpf_core_parse_spec() of libbpf's relo_core.c: members of anonymous structs count as members of what encloses them. */
function accessors(btf: Btf, type: number, text: string): Accessor[] {
  const indices = text.split(':').map(Number);
  const [first = 0] = indices;
  let at = btf.skip(type);
  const found: Accessor[] = [{ type: at, index: first, name: null }];
  for (const index of indices.slice(1)) {
    const kind = btf.kind(at);
    if (kind === BtfKind.Struct || kind === BtfKind.Union) {
      const member = btf.members(at)[index];
      if (member === undefined) throw badBtf(`a relocation names member ${index} of ${btf.name(at)}, which has fewer`);
      if (member.name !== '') found.push({ type: at, index, name: member.name });
      at = btf.skip(member.type);
    } else if (kind === BtfKind.Array) {
      at = btf.skip(btf.arrayOf(at).type);
      found.push({ type: at, index, name: null });
    } else {
      throw badBtf(`a relocation goes into ${btf.name(at)}, which has no parts`);
    }
  }
  return found;
}

/** All of them, in the order of the object. Throws `BpfError` when the object is damaged. */
export function relocationsOf(elf: Uint8Array, btf: Btf = Btf.fromElf(elf)): Relocation[] {
  const bytes = elfSection(elf, '.BTF.ext');
  if (bytes === null) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): number => {
    if (at + 4 > bytes.length) throw badBtf('.BTF.ext is cut off');
    return view.getUint32(at, true);
  };
  const header = word(4);
  if (view.getUint16(0, true) !== 0xeb9f) throw badBtf('.BTF.ext has a bad magic number');
  if (header < 32) return []; // written before there was CO-RE
  const start = header + word(24);
  const end = start + word(28);
  if (start === end) return [];
  const functions = functionsOf(elf);
  const stride = word(start);
  if (stride < 16) throw badBtf(`.BTF.ext has relocations of ${stride} bytes`);
  const found: Relocation[] = [];
  for (let at = start + 4; at < end; ) {
    const section = btf.string(word(at));
    const count = word(at + 4);
    at += 8;
    for (let i = 0; i < count; i++, at += stride) {
      const offset = word(at);
      const type = word(at + 4);
      const text = btf.string(word(at + 8));
      const kind = word(at + 12);
      found.push({
        section,
        program: functionAt(functions, section, offset) ?? section,
        offset,
        kind,
        type,
        accessors: isField(kind) ? accessors(btf, type, text) : [],
        enumerator: isEnumerator(kind) ? Number(text) : -1,
      });
    }
  }
  return found;
}
