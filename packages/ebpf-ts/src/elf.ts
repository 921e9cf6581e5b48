// SPDX-License-Identifier: MIT
/** As much of ELF as it takes to find a section by name: 64-bit little-endian objects, as clang -target bpfel writes them. */
import { plainBytes } from './arguments.js';
import { BpfError } from './errors.js';

const ELF_HEADER = 64;
const SECTION_HEADER = 64;

function bad(why: string, what: string = 'read BPF object'): BpfError {
  return new BpfError({ what, why, remedy: 'compile it with clang -g -O2 -target bpf', code: 'ERR_BPF_INPUT' });
}

/**
 * Bytes of the section `name` (a view, not a copy), or null when the object has no such section.
 * Throws `BpfError` when the bytes are no little-endian ELF64 file or are cut off.
 */
export function elfSection(given: Uint8Array, name: string): Uint8Array | null {
  const elf = plainBytes(given, 'read BPF object');
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < ELF_HEADER || view.getUint32(0) !== 0x7f454c46) throw bad('not an ELF file');
  if (elf[4] !== 2 || elf[5] !== 1) throw bad('not a 64-bit little-endian ELF file');
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const names = view.getUint16(62, true);
  if (view.getUint16(58, true) !== SECTION_HEADER || names >= count || table + count * SECTION_HEADER > elf.length) {
    throw bad('its section table is cut off');
  }
  const section = (index: number): Uint8Array => {
    const at = table + index * SECTION_HEADER;
    const offset = Number(view.getBigUint64(at + 24, true));
    const size = Number(view.getBigUint64(at + 32, true));
    if (offset + size > elf.length) throw bad('a section reaches beyond its end');
    return elf.subarray(offset, offset + size);
  };
  const strings = Buffer.from(section(names));
  const wanted = Buffer.from(`${name}\0`);
  for (let i = 0; i < count; i++) {
    const at = view.getUint32(table + i * SECTION_HEADER, true);
    if (strings.subarray(at, at + wanted.length).equals(wanted)) return section(i);
  }
  return null;
}

const EM_BPF = 247;
const SHT_NOBITS = 8;

/** Throws `BpfError` unless this is a little-endian ELF64 object for BPF, all of whose sections lie within it. */
export function checkBpfElf(elf: Uint8Array, what: string): void {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  if (elf.length < ELF_HEADER || view.getUint32(0) !== 0x7f454c46) throw bad('not an ELF file', what);
  if (elf[4] !== 2 || elf[5] !== 1) throw bad('not a 64-bit little-endian ELF file', what);
  if (view.getUint16(18, true) !== EM_BPF) throw bad('an ELF file, but not for BPF', what);
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  if (view.getUint16(58, true) !== SECTION_HEADER || table + count * SECTION_HEADER > elf.length)
    throw bad('its section table is cut off', what);
  const field = (index: number, at: number): number => view.getUint32(table + index * SECTION_HEADER + at, true);
  const wide = (index: number, at: number): number =>
    Number(view.getBigUint64(table + index * SECTION_HEADER + at, true));
  if (view.getUint16(62, true) >= count) throw bad('it names no table of names', what);
  for (let i = 0; i < count; i++) {
    const [type, link, info, size, stride] = [field(i, 4), field(i, 40), field(i, 44), wide(i, 32), wide(i, 56)];
    if (type !== SHT_NOBITS && wide(i, 24) + size > elf.length) throw bad(`section ${i} reaches beyond its end`, what);
    if (type === SHT_NOBITS && size > MAX_NOBITS) throw bad(`section ${i} is too large`, what);
    if (type === SHT_SYMTAB || type === SHT_REL) {
      if (stride !== (type === SHT_REL ? 16 : 24) || size % stride !== 0 || link >= count)
        throw bad(`section ${i} is no table of its kind`, what);
      if (type === SHT_REL && (info >= count || field(link, 4) !== SHT_SYMTAB))
        throw bad(`section ${i} relocates by no symbol table`, what);
    }
    for (let at = wide(i, 24); type === SHT_REL && at < wide(i, 24) + size; at += 16)
      if (view.getUint32(at + 12, true) >= wide(link, 32) / 24 || Number(view.getBigUint64(at, true)) >= wide(info, 32))
        throw bad(`a relocation of section ${i} lies outside`, what);
  }
}

/** Bytes of zeroed globals that are believed: a map of that size is made for them. */
const MAX_NOBITS = 2 ** 30;
const SHT_REL = 9;
const SHT_SYMTAB = 2;
const STT_FUNC = 2;

export interface ElfFunction {
  readonly name: string;
  readonly section: string;
  /** Bytes from the section's start. */
  readonly offset: number;
  readonly size: number;
}

/** Functions of an object by its symbol table, which llvm-strip -g keeps. Throws `BpfError` when the object is damaged. */
export function functionsOf(elf: Uint8Array): ElfFunction[] {
  checkBpfElf(elf, 'read BPF object');
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (index: number): number => {
    if (index >= count) throw bad(`no section ${index}`);
    return table + index * SECTION_HEADER;
  };
  const bytesOf = (index: number): Uint8Array => {
    const at = header(index);
    const offset = Number(view.getBigUint64(at + 24, true));
    return elf.subarray(offset, offset + Number(view.getBigUint64(at + 32, true)));
  };
  const text = (strings: Uint8Array, at: number): string => {
    const end = strings.indexOf(0, at);
    return Buffer.from(strings.subarray(at, end < 0 ? undefined : end)).toString('latin1');
  };
  const names = bytesOf(view.getUint16(62, true));
  const functions: ElfFunction[] = [];
  for (let i = 0; i < count; i++) {
    if (view.getUint32(header(i) + 4, true) !== SHT_SYMTAB) continue;
    const strings = bytesOf(view.getUint32(header(i) + 40, true));
    const symbols = bytesOf(i);
    const symbol = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
    for (let at = 0; at + 24 <= symbols.length; at += 24) {
      const section = symbol.getUint16(at + 6, true);
      if ((symbol.getUint8(at + 4) & 0xf) !== STT_FUNC || section === 0 || section >= count) continue;
      functions.push({
        name: text(strings, symbol.getUint32(at, true)),
        section: text(names, view.getUint32(header(section), true)),
        offset: Number(symbol.getBigUint64(at + 8, true)),
        size: Number(symbol.getBigUint64(at + 16, true)),
      });
    }
  }
  return functions;
}

/** Name of the function that covers a byte of a section, or null. */
export function functionAt(functions: readonly ElfFunction[], section: string, offset: number): string | null {
  const found = functions.find((f) => f.section === section && offset >= f.offset && offset < f.offset + f.size);
  return found?.name ?? null;
}
