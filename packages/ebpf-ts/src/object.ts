// SPDX-License-Identifier: MIT
/** A BPF object file: opened, set up, loaded, closed. Programs and maps by name. */
import { existsSync } from 'node:fs';
import { Btf } from './btf.js';
import { BpfError, errnoError } from './errors.js';
import { lastErrno, libbpf, type Pointer, takeLog, viewOf } from './ffi.js';
import { BpfMap } from './map.js';
import { BpfProgram } from './program.js';

export class BpfObject {
  readonly programs: ReadonlyMap<string, BpfProgram>;
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** The object's own BTF, as libbpf completed it. */
  readonly btf: Btf;
  #handle: Pointer;

  private constructor(handle: bigint) {
    this.#handle = handle;
    const lib = libbpf();
    const programs = new Map<string, BpfProgram>();
    for (let p = lib.nextProgram(handle, null); p !== null; p = lib.nextProgram(handle, p))
      programs.set(lib.programName(p), new BpfProgram(p));
    const maps = new Map<string, BpfMap>();
    for (let m = lib.nextMap(handle, null); m !== null; m = lib.nextMap(handle, m))
      maps.set(lib.mapName(m), new BpfMap(m));
    this.programs = programs;
    this.maps = maps;
    this.btf = readBtf(lib.objectBtf(handle));
  }

  /** Reads the file; nothing reaches the kernel yet. Throws `BpfError`. */
  static open(path: string): BpfObject {
    if (!existsSync(path))
      throw new BpfError({ what: `open BPF object ${path}`, why: 'no such file', remedy: 'build it: make build' });
    takeLog();
    const handle = libbpf().objectOpenFile(path, null);
    if (handle === null) throw errnoError(`open BPF object ${path}`, lastErrno(), { log: takeLog() });
    return new BpfObject(handle);
  }

  /** Throws `BpfError` when the object has no such program. */
  program(name: string): BpfProgram {
    const program = this.programs.get(name);
    if (!program)
      throw new BpfError({ what: `find BPF program ${name}`, why: 'the object has none of that name', remedy: '' });
    return program;
  }

  /** By C name, or by section (`.rodata`, `.bss`). Throws `BpfError`. */
  map(name: string): BpfMap {
    const found =
      this.maps.get(name) ?? [...this.maps].find(([key]) => name.startsWith('.') && key.endsWith(name))?.[1];
    if (!found)
      throw new BpfError({ what: `find BPF map ${name}`, why: 'the object has none of that name', remedy: '' });
    return found;
  }

  /** Where a global variable lies in its section, in bytes. Throws `BpfError`. */
  variable(section: '.rodata' | '.data' | '.bss', name: string): { offset: number; size: number } {
    const variable = this.btf.datasec(section)?.find((v) => v.name === name);
    if (!variable)
      throw new BpfError({
        what: `find global ${name} in ${section}`,
        why: 'the object has none of that name',
        remedy: '',
      });
    return { offset: variable.offset, size: variable.size };
  }

  /** Sets a global before load: integers of 1 to 8 bytes. */
  setGlobal(section: '.rodata' | '.data' | '.bss', name: string, value: number | bigint): void {
    const { offset, size } = this.variable(section, name);
    const length = Buffer.alloc(8);
    const base = libbpf().mapInitialValue(this.map(section).handle, length);
    if (base === null)
      throw new BpfError({ what: `set global ${name}`, why: `${section} has no initial value`, remedy: '' });
    const bytes = new Uint8Array(viewOf(base, Number(length.readBigUInt64LE())));
    let rest = BigInt(value);
    for (let i = 0; i < size; i++, rest >>= 8n) bytes[offset + i] = Number(rest & 0xffn);
  }

  /** Verifies and loads every program that is to be loaded. Throws `BpfError` with the verifier's log. */
  load(): void {
    takeLog();
    const rc = libbpf().objectLoad(this.#handle);
    if (rc < 0) {
      const log = takeLog();
      throw errnoError('load BPF programs', -rc, { log, ...summary(log) });
    }
  }

  /** Unloads whatever is loaded. Idempotent. */
  close(): void {
    if (this.#handle !== null) libbpf().objectClose(this.#handle);
    this.#handle = null;
  }
}

/** The line of a verifier log that says what was wrong: the one before the statistics. */
function summary(log: string): { why?: string } {
  const lines = log.split('\n');
  const end = lines.findIndex((line) => line.startsWith('processed '));
  const program = /prog '([^']+)': BPF program load failed: (.*)/.exec(log);
  if (end < 1 || !program) return {};
  const reason = lines
    .slice(0, end)
    .reverse()
    .find((line) => !/^(verification time|stack depth|mark_precise)/.test(line));
  return { why: `the verifier refused ${program[1]}: ${reason ?? program[2]}` };
}

function readBtf(handle: Pointer): Btf {
  const size = Buffer.alloc(4);
  const data = handle === null ? null : libbpf().btfRawData(handle, size);
  if (data === null)
    throw new BpfError({ what: 'read the BTF of the BPF object', why: 'it has none', remedy: 'build it with -g' });
  return new Btf(new Uint8Array(viewOf(data, size.readUInt32LE())).slice());
}
