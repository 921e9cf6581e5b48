// SPDX-License-Identifier: MIT
/** As much of ELF as it takes to find a section by name: 64-bit little-endian objects, as clang -target bpfel writes them. */
import { BpfError } from './errors.js';

const ELF_HEADER = 64;
const SECTION_HEADER = 64;

function bad(why: string): BpfError {
  return new BpfError({ what: 'read BPF object', why, remedy: 'rebuild the object with clang -g -target bpf' });
}

/**
 * Bytes of the section `name` (a view, not a copy), or null when the object has no such section.
 * Throws `BpfError` when the bytes are no little-endian ELF64 file or are cut off.
 */
export function elfSection(elf: Uint8Array, name: string): Uint8Array | null {
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
