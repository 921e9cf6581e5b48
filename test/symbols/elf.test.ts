// SPDX-License-Identifier: MIT
/** ELF files made by hand: what compilers of this machine do not make, and what no linker would. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ElfSymbols, MAX_TABLE_BYTES, type ReadAt } from '../../src/symbols/elf-symbols.js';

interface Symbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** STT_FUNC unless given. */
  readonly type?: number;
  readonly section?: number;
}

const TEXT = { offset: 0x1000, address: 0x40_2000, size: 0x800 };

/** Header, one executable and one data segment, then .text, .symtab or .dynsym, .strtab. */
function elf(symbols: readonly Symbol[], options: { dynamic?: boolean; sections?: boolean } = {}): Buffer {
  const strings = Buffer.from(`\0${symbols.map(({ name }) => name).join('\0')}\0`);
  const table = Buffer.alloc((symbols.length + 1) * 24);
  let name = 1;
  symbols.forEach((symbol, i) => {
    const at = (i + 1) * 24;
    table.writeUInt32LE(name, at);
    table[at + 4] = 0x10 | (symbol.type ?? 2);
    table.writeUInt16LE(symbol.section ?? 1, at + 6);
    table.writeBigUInt64LE(BigInt(symbol.value), at + 8);
    table.writeBigUInt64LE(BigInt(symbol.size), at + 16);
    name += Buffer.byteLength(symbol.name) + 1;
  });
  const programs = 64;
  const sections = programs + 2 * 56;
  const tableAt = sections + 4 * 64;
  const file = Buffer.alloc(tableAt + table.length + strings.length);
  file.writeUInt32BE(0x7f454c46, 0);
  file[4] = 2;
  file[5] = 1;
  file.writeBigUInt64LE(BigInt(programs), 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  if (options.sections !== false) {
    file.writeBigUInt64LE(BigInt(sections), 40);
    file.writeUInt16LE(64, 58);
    file.writeUInt16LE(4, 60);
  }
  const segment = (i: number, flags: number, offset: number, address: number, size: number): void => {
    const at = programs + i * 56;
    file.writeUInt32LE(1, at);
    file.writeUInt32LE(flags, at + 4);
    file.writeBigUInt64LE(BigInt(offset), at + 8);
    file.writeBigUInt64LE(BigInt(address), at + 16);
    file.writeBigUInt64LE(BigInt(size), at + 32);
  };
  segment(0, 4, 0, 0x40_0000, 0x1000);
  segment(1, 5, TEXT.offset, TEXT.address, TEXT.size);
  const section = (i: number, type: number, address: number, offset: number, size: number, link: number): void => {
    const at = sections + i * 64;
    file.writeUInt32LE(type, at + 4);
    file.writeBigUInt64LE(BigInt(address), at + 16);
    file.writeBigUInt64LE(BigInt(offset), at + 24);
    file.writeBigUInt64LE(BigInt(size), at + 32);
    file.writeUInt32LE(link, at + 40);
  };
  section(1, 1, TEXT.address, TEXT.offset, TEXT.size, 0);
  section(2, options.dynamic === true ? 11 : 2, 0, tableAt, table.length, 3);
  section(3, 3, 0, tableAt + table.length, strings.length, 0);
  table.copy(file, tableAt);
  strings.copy(file, tableAt + table.length);
  return file;
}

/** Reads as a file does: nothing beyond its end, and never more bytes than there are. */
const from =
  (file: Buffer): ReadAt =>
  async (position, length) => {
    assert.ok(length <= MAX_TABLE_BYTES, `asked for ${length} bytes`);
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, file.length - position)));
    file.copy(bytes, 0, Math.min(position, file.length));
    return bytes;
  };

const read = async (file: Buffer): Promise<ElfSymbols> => {
  const symbols = await ElfSymbols.read(from(file));
  assert.ok(symbols);
  return symbols;
};
const name = (symbols: ElfSymbols, address: number): string | null => {
  const found = symbols.symbol(address);
  return found && `${found.name}+${found.offset}`;
};

describe('ElfSymbols', () => {
  it('translates offsets in the file by the executable segment they lie in', async () => {
    const symbols = await read(elf([]));
    assert.equal(symbols.address(0x1000), 0x40_2000);
    assert.equal(symbols.address(0x17ff), 0x40_27ff);
    assert.equal(symbols.address(0x1800), null);
    assert.equal(symbols.address(0x20), null);
  });

  it('names what a function covers and nothing behind it', async () => {
    const symbols = await read(
      elf([
        { name: 'first', value: 0x40_2000, size: 0x10 },
        { name: 'second', value: 0x40_2040, size: 8 },
      ]),
    );
    assert.equal(name(symbols, 0x40_200f), 'first+15');
    assert.equal(name(symbols, 0x40_2010), null);
    assert.equal(name(symbols, 0x40_1fff), null);
    assert.equal(name(symbols, 0x40_2047), 'second+7');
  });

  it('finds the outer function behind one it holds', async () => {
    const symbols = await read(
      elf([
        { name: 'outer', value: 0x40_2000, size: 0x100 },
        { name: 'inner', value: 0x40_2010, size: 4 },
      ]),
    );
    assert.equal(name(symbols, 0x40_2012), 'inner+2');
    assert.equal(name(symbols, 0x40_2020), 'outer+32');
  });

  it('lets a label without a size reach to the next symbol or the end of its section', async () => {
    const symbols = await read(
      elf([
        { name: 'label', value: 0x40_2700, size: 0 },
        { name: 'last', value: 0x40_2780, size: 0 },
      ]),
    );
    assert.equal(name(symbols, 0x40_277f), 'label+127');
    assert.equal(name(symbols, 0x40_27ff), 'last+127');
    assert.equal(name(symbols, 0x40_2800), null);
  });

  it('passes over data, undefined symbols and names outside the strings; reads indirect functions', async () => {
    const symbols = await read(
      elf([
        { name: 'data', value: 0x40_2000, size: 8, type: 1 },
        { name: 'elsewhere', value: 0x40_2000, size: 8, section: 0 },
        { name: 'memcpy', value: 0x40_2010, size: 8, type: 10 },
      ]),
    );
    assert.equal(symbols.functions, 1);
    assert.equal(name(symbols, 0x40_2011), 'memcpy+1');
  });

  it('prefers the name with fewer underscores', async () => {
    for (const names of [
      ['__libc_malloc', 'malloc'],
      ['malloc', '__libc_malloc'],
    ]) {
      const symbols = await read(elf(names.map((one) => ({ name: one, value: 0x40_2000, size: 8 }))));
      assert.equal(name(symbols, 0x40_2000), 'malloc+0');
    }
  });

  it('makes do with .dynsym, and with no sections at all', async () => {
    const functions = [{ name: 'exported', value: 0x40_2000, size: 8 }];
    assert.equal(name(await read(elf(functions, { dynamic: true })), 0x40_2000), 'exported+0');
    const bare = await read(elf(functions, { sections: false }));
    assert.equal(bare.functions, 0);
    assert.equal(bare.address(0x1000), 0x40_2000);
  });

  it('is null for what is no 64-bit little-endian ELF file', async () => {
    const file = elf([]);
    for (const [at, byte] of [
      [0, 0],
      [4, 1],
      [5, 2],
    ] as const) {
      const other = Buffer.from(file);
      other[at] = byte;
      assert.equal(await ElfSymbols.read(from(other)), null);
    }
    assert.equal(await ElfSymbols.read(from(file.subarray(0, 63))), null);
    assert.equal(await ElfSymbols.read(from(Buffer.alloc(0))), null);
  });

  it('names as a linear search does', async () => {
    const functions = fc.array(
      fc.record({ value: fc.integer({ min: 0x40_2000, max: 0x40_20ff }), size: fc.integer({ min: 1, max: 32 }) }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(functions, fc.integer({ min: 0x40_1ff0, max: 0x40_2130 }), async (list, address) => {
        // Apart from each other: of functions that overlap more than a few the nearest is as good as any.
        const apart: { value: number; size: number }[] = [];
        for (const one of list.toSorted((a, b) => a.value - b.value)) {
          const last = apart.at(-1);
          if (last === undefined || one.value >= last.value + last.size) apart.push(one);
        }
        const symbols = await read(elf(apart.map(({ value, size }) => ({ name: `f${value}`, value, size }))));
        const inside = apart.find(({ value, size }) => address >= value && address < value + size);
        assert.equal(name(symbols, address), inside ? `f${inside.value}+${address - inside.value}` : null);
      }),
      { numRuns: 50 },
    );
  });

  it('survives any damage: a wrong name or none, no exception, no read beyond bounds', async () => {
    const file = elf([
      { name: 'first', value: 0x40_2000, size: 0x10 },
      { name: 'second', value: 0x40_2040, size: 0 },
    ]);
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(file.length), async (changes, length) => {
        const broken = Buffer.from(file.subarray(0, length));
        for (const [at, byte] of changes) if (at < length) broken[at] = byte;
        const symbols = await ElfSymbols.read(from(broken));
        for (let address = 0x40_2000; address < 0x40_2060; address += 4) symbols?.symbol(address);
        symbols?.address(0x1000);
      }),
      { numRuns: 400 },
    );
  });
});
