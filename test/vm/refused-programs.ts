// SPDX-License-Identifier: MIT
/** Runs in a guest: what doctor finds of an object two of whose programs the verifier does not take. Prints JSON. */
import { readFileSync } from 'node:fs';
import { tryPrograms } from '../../src/doctor/programs.js';
import { hostFacts } from '../../src/live/host.js';
import { OBJECT } from '../../src/live/kernel.js';

/** Offset of a section in an ELF64 file. */
function sectionAt(elf: Buffer, name: string): number {
  const [table, count, names] = [Number(elf.readBigUInt64LE(40)), elf.readUInt16LE(60), elf.readUInt16LE(62)];
  const strings = Number(elf.readBigUInt64LE(table + names * 64 + 24));
  for (let i = 0; i < count; i++) {
    const at = strings + elf.readUInt32LE(table + i * 64);
    if (elf.toString('latin1', at, elf.indexOf(0, at)) === name)
      return Number(elf.readBigUInt64LE(table + i * 64 + 24));
  }
  throw new Error(`no section ${name}`);
}

const object = readFileSync(OBJECT);
/** r0 = r5, which nobody has set. */
const UNSET = Buffer.from([0xbf, 0x50, 0, 0, 0, 0, 0, 0]);
for (const section of process.argv.slice(2)) UNSET.copy(object, sectionAt(object, section));
process.stdout.write(JSON.stringify(tryPrograms(hostFacts(), object)));
