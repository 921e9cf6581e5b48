// SPDX-License-Identifier: MIT
/** What comes from compilers, programs and the kernel: BTF, ELF files, /proc/PID/maps, kallsyms, records of the ring. */
import { readFileSync } from 'node:fs';
import { Btf, BtfKind, checkRelocations } from 'ebpf-ts';
import { RingProducer } from 'ebpf-ts/testing';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { clearBatch } from '../../src/core/events/batch.js';
import { EventDecoder } from '../../src/live/decode.js';
import { VlKindNames, VlOpen, VlStep } from '../../src/schema/events.gen.js';
import { ElfSymbols, type ReadAt } from '../../src/symbols/elf-symbols.js';
import { Kallsyms } from '../../src/symbols/kallsyms.js';
import { mappingAt, parseMaps } from '../../src/symbols/process-maps.js';
import { syntheticSession } from '../core/session.js';
import { type CaseRandom, mutateBytes, mutateText } from './random.js';
import { type Prepared, refusal, type Target } from './target.js';

const OBJECTS = ['counter', 'egress', 'execsnoop', 'readlatency', 'tasks'];
const objects = (): Uint8Array[] =>
  OBJECTS.map((name) => new Uint8Array(readFileSync(`packages/ebpf-ts/dist/examples/${name}.bpf.o`)));

export const btf: Target = {
  name: 'btf',
  async prepare(): Promise<Prepared> {
    const tables = objects().map((elf) => {
      // The section is found by a clean read: here it alone is damaged.
      const whole = Buffer.from(elf);
      const at = whole.indexOf(Buffer.from([0x9f, 0xeb, 1, 0]));
      return new Uint8Array(whole.subarray(at, at + 24 + whole.readUInt32LE(at + 16) + whole.readUInt32LE(at + 20)));
    });
    let used = 0;
    return {
      used: () => used,
      run(random) {
        const bytes = mutateBytes(random, random.pick(tables));
        try {
          const table = new Btf(bytes);
          used++;
          for (const name of ['task_struct', 'pt_regs', 'int', '', 'count', 'license']) {
            table.hasFunc(name);
            table.tracepointArguments(name);
            attempt(() => table.struct(name));
            attempt(() => table.enumeration(name));
            attempt(() => table.datasec(name));
          }
          for (let id = 0; id < Math.min(table.count, 64); id++) {
            attempt(() => table.name(id));
            attempt(() => table.sizeOf(id));
            attempt(() => table.members(id));
            attempt(() => table.find(BtfKind.Struct, table.name(id)));
          }
        } catch (error) {
          refusal(error);
        }
      },
    };
  },
};

function attempt(ask: () => unknown): void {
  try {
    ask();
  } catch (error) {
    refusal(error);
  }
}

/** BPF objects, for their relocations, and programs, for the names of their functions. */
export const elf: Target = {
  name: 'elf',
  async prepare(): Promise<Prepared> {
    const bpf = objects();
    const target = Btf.fromElf(bpf[2] as Uint8Array);
    const programs = ['secret', 'reclaim'].map((name) => new Uint8Array(readFileSync(`dist/test/workload/${name}`)));
    let used = 0;
    return {
      used: () => used,
      async run(random) {
        if (random.one(2)) {
          try {
            checkRelocations(mutateBytes(random, random.pick(bpf)), target);
            used++;
          } catch (error) {
            refusal(error);
          }
          return;
        }
        const bytes = Buffer.from(mutateHead(random, random.pick(programs)));
        const readAt: ReadAt = async (position, length) => {
          // Nobody has memory for what a header may ask for: as a read(2) of a file does, no more than there is.
          if (length > 2 ** 27) throw new Error(`${length} bytes are asked for`);
          // Memory of its own, as the reader of files has it.
          const from = Math.min(Math.max(position, 0), bytes.length);
          const part = Buffer.allocUnsafeSlow(Math.min(length, bytes.length - from));
          bytes.copy(part, 0, from);
          return part;
        };
        const symbols = await ElfSymbols.read(readAt);
        if (symbols === null) return;
        used++;
        for (const offset of [0, 0x1000, random.below(2 ** 16), 2 ** 40]) {
          const address = symbols.address(offset);
          if (address !== null) symbols.symbol(address);
        }
      },
    };
  },
};

/** Headers and tables, where the numbers are, rather than code. */
function mutateHead(random: CaseRandom, bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const tables = Number(new DataView(out.buffer).getBigUint64(40, true));
  const from = random.one(2) ? 0 : tables;
  const part = mutateBytes(random, out.slice(from, from + (from === 0 ? 512 : out.length - tables)));
  out.set(part.subarray(0, out.length - from), from);
  return random.one(8) ? out.slice(0, random.below(out.length)) : out;
}

export const proc: Target = {
  name: 'proc',
  async prepare(): Promise<Prepared> {
    const maps = readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .filter((line) => / r-xp /.test(line))
      .slice(0, 8)
      .join('\n');
    const symbols = Array.from(
      { length: 12 },
      (_, i) =>
        `ffffffff81${i.toString(16).padStart(6, '0')} ${'tTdwA'[i % 5]} name_${i}${i % 4 === 0 ? '\t[module]' : ''}`,
    ).join('\n');
    const words = [
      'ffffffffffffffff',
      '-',
      ' r-xp ',
      '00000000',
      '(deleted)',
      '/x',
      '[vdso]',
      '08:01',
      '\t[x]',
      'T',
      '0',
    ];
    let used = 0;
    return {
      used: () => used,
      run(random) {
        if (random.one(2)) {
          const mappings = parseMaps(mutateText(random, maps, words));
          for (const { start } of mappings) mappingAt(mappings, start);
          mappingAt(mappings, random.below(2 ** 32));
          used++;
          return;
        }
        const { kallsyms, why } = Kallsyms.parse(Buffer.from(mutateText(random, symbols, words)), 'it');
        if (kallsyms === null && why === '') throw new Error('no symbols, and no word why');
        if (kallsyms === null) return;
        used++;
        for (const address of [0n, 0xffffffff81000003n, 2n ** 64n - 1n]) {
          kallsyms.symbol(address, random.one(2));
          kallsyms.functionAt(address);
        }
        for (const name of ['name_1', '', '\n']) kallsyms.range(name);
      },
    };
  },
};

const LENGTHS = [
  VlStep.size,
  VlOpen.size,
  0,
  1,
  8,
  VlStep.size - 1,
  VlStep.size + 8,
  VlOpen.size - 8,
  VlOpen.size + 1,
  500,
];

/** Records as no program of ours sends them: of other lengths and kinds, with any bytes, some discarded. */
export const ring: Target = {
  name: 'ring',
  async prepare(): Promise<Prepared> {
    let used = 0;
    let producer = new RingProducer(16_384);
    let decoder = new EventDecoder(producer.ring, 1_000_000n, 128);
    let pipeline = new Pipeline(syntheticSession(), { maxOpen: 32 });
    let batch = decoder.createBatch();
    let [sent, before] = [0, 0];
    return {
      used: () => used,
      run(random) {
        // Cases go on where the one before ended, up to a point: a lifecycle has many records.
        if (random.one(2000)) {
          producer = new RingProducer(16_384, BigInt(random.below(2 ** 31)) * 8n * BigInt(1 + random.below(4)));
          decoder = new EventDecoder(producer.ring, BigInt(random.below(2 ** 31)), 128);
          pipeline = new Pipeline(syntheticSession(), { maxOpen: 32 });
          batch = decoder.createBatch();
          [sent, before] = [0, 0];
        }
        for (let n = 1 + random.below(6); n > 0; n--) {
          const bytes = new Uint8Array(
            random.one(3) ? random.pick(LENGTHS) : random.one(2) ? VlStep.size : VlOpen.size,
          );
          for (let i = 0; i < bytes.length; i++) bytes[i] = random.one(3) ? random.below(256) : random.below(3);
          if (bytes.length > 2) {
            bytes[0] = random.one(10) ? random.below(256) : random.below(VlKindNames.length + 1);
            if (!random.one(10)) bytes[1] = ((bytes[1] as number) & ~1) | (bytes.length === VlOpen.size ? 1 : 0);
          }
          if (random.one(12)) {
            const at = producer.reserve(bytes.length);
            if (at >= 0) producer.discard(at);
          } else if (producer.output(bytes)) sent++;
        }
        decoder.drainInto(batch);
        pipeline.push(batch);
        const decoded = decoder.decoded.reduce((sum, count) => sum + count, 0);
        if (decoded + decoder.malformed !== sent)
          throw new Error(`${sent} sent, ${decoded} decoded, ${decoder.malformed} malformed`);
        if (decoded > before) used++;
        before = decoded;
        if (random.one(64)) pipeline.snapshot();
        clearBatch(batch);
      },
    };
  },
};
