// SPDX-License-Identifier: MIT
/** A BPF object file: opened, set up, loaded, closed. Programs and maps by name. */
import { copyOf, cString, OWN, onlyOurs, optionsOf } from './arguments.js';
import { Btf } from './btf.js';
import { BtfKind } from './btf-kinds.js';
import { verifyBtf } from './btf-verify.js';
import { codecOf } from './codec.js';
import type { Codec } from './codec-scalar.js';
import { checkBpfElf, elfSection } from './elf.js';
import { errnoError, loadError, misuse } from './errors.js';
import { lastErrno, libbpf, takeLog, viewOf } from './ffi.js';
import { type Global, Globals } from './globals.js';
import { handleOf, handles, Lifetime } from './lifetime.js';
import { BpfLink } from './link.js';
import { BpfMap } from './map.js';
import { ofObject } from './map-source.js';
import { bytes } from './memory.js';
import { nameOf, openElf, readBtf, readObject } from './object-source.js';
import { BpfProgram } from './program.js';
import type { AnyShape, Shape } from './shape.js';
import { withSignalsHeld } from './signals.js';
import { TypedMap } from './typed-map.js';
import { say, shown } from './words.js';

const NO_KEY: Codec<never> = { size: 0, decode: () => undefined as never, encode: () => {} };

/** `.rodata`, `.bss`, `.data`, `.rodata.name` … */
export type Section = `.${string}`;

export interface OpenOptions {
  /** Names the object in errors and in the names of its global sections' maps; the file's name unless given. */
  readonly name?: string;
  /** A BTF file to relocate against in place of /sys/kernel/btf/vmlinux. */
  readonly kernelBtf?: string;
}

/**
 * Nothing is collected for being out of reach: an object holds its programs in the kernel until `close()`, or until the
 * process ends. Closing closes its links first. Everything of a closed object throws `BpfError` (`ERR_BPF_CLOSED`).
 */
export class BpfObject<S extends Shape = AnyShape> {
  readonly name: string;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** The object's own BTF, as libbpf completed it. */
  readonly btf: Btf;
  readonly #life: Lifetime;
  readonly #handle: bigint;
  readonly #globals: Globals;
  /** Key and value types of its maps, ids of `btf`. */
  readonly #types: Map<BpfMap, readonly [key: number, value: number]> = new Map();
  #log = '';

  private constructor(key: typeof OWN, handle: bigint, name: string) {
    onlyOurs(key, 'BpfObject', 'use BpfObject.open()');
    this.#handle = handle;
    this.name = name;
    this.#life = new Lifetime(`BPF object ${name}`);
    const lib = libbpf();
    try {
      this.btf = readBtf(lib.objectBtf(handle));
      const programs = new Map<string, BpfProgram>();
      for (let p = lib.nextProgram(handle, null); p !== null; p = lib.nextProgram(handle, p)) {
        const program = new BpfProgram(OWN, p, this.#life);
        programs.set(program.name, program);
      }
      const maps = new Map<string, BpfMap>();
      for (let m = lib.nextMap(handle, null); m !== null; m = lib.nextMap(handle, m)) {
        const map = new BpfMap(OWN, ofObject(m, this.#life));
        handles.set(map, m);
        // Now: libbpf forgets them of queues and others once it has created the map.
        this.#types.set(map, [lib.mapKeyType(m), lib.mapValueType(m)]);
        maps.set(map.name, map);
      }
      this.programs = programs;
      this.maps = maps;
      this.#globals = new Globals({
        btf: this.btf,
        life: this.#life,
        map: (section) => this.map(section),
        initialValue: (section) => this.#initialValue(section),
      });
    } catch (error) {
      lib.objectClose(handle);
      throw error;
    }
  }

  /** Reads an object file, by path or from memory; nothing reaches the kernel yet. Throws `BpfError`. */
  static open<S extends Shape = AnyShape>(source: string | Uint8Array, options: OpenOptions = {}): BpfObject<S> {
    const path = typeof source === 'string' ? source : null;
    const { name: given, kernelBtf } = optionsOf(options, 'open BPF object');
    const name = cString(given ?? (path === null ? 'memory' : nameOf(path)), 'open BPF object: name');
    const what = `open BPF object ${path ?? name}`;
    const elf = path === null ? copyOf(source as Uint8Array, what) : readObject(path, what);
    checkBpfElf(elf, what);
    // libbpf follows what an object says; one that does not hold together would take the process down with it.
    const btf = elfSection(elf, '.BTF');
    if (btf !== null) verifyBtf(new Btf(btf));
    return new BpfObject<S>(OWN, openElf(elf, name, kernelBtf, what), name);
  }

  get stage(): 'open' | 'loaded' | 'closed' {
    return this.#life.stage;
  }

  /** Throws `BpfError` when the object has no such program. */
  program(name: S['programs']): BpfProgram {
    const program = this.programs.get(name);
    if (program) return program;
    throw misuse(
      'ERR_BPF_NAME',
      say`find BPF program ${name}`,
      'the object has none of that name',
      known(this.programs),
    );
  }

  /** By C name, or by section (`.rodata`, `.bss`). Throws `BpfError`. */
  map(name: (keyof S['maps'] & string) | Section): BpfMap {
    const found =
      this.maps.get(name) ??
      [...this.maps].find(([key]) => typeof name === 'string' && name.startsWith('.') && key.endsWith(name))?.[1];
    if (found) return found;
    throw misuse('ERR_BPF_NAME', say`find BPF map ${name}`, 'the object has none of that name', known(this.maps));
  }

  /** Where a global variable lies in its section, in bytes. Throws `BpfError`. */
  variable(section: Section, name: string): { offset: number; size: number } {
    const variable = this.btf.datasec(section)?.find((v) => v.name === name);
    if (!variable)
      throw misuse('ERR_BPF_NAME', say`find global ${name} in ${section}`, 'the object has none of that name');
    return { offset: variable.offset, size: variable.size };
  }

  /** A map with keys and values by the types it was declared with (`__type(key, …)`); a queue or stack has values alone. Throws `BpfError`. */
  typed<N extends keyof S['maps'] & string>(name: N): TypedMap<S['maps'][N]['key'], S['maps'][N]['value']> {
    const what = say`read ${name} by its types`;
    const map = this.map(name);
    this.#life.alive(what);
    const [key, value] = this.#types.get(map) ?? [0, 0];
    // Queues and stacks have no keys.
    if ((key === 0 && map.keySize !== 0) || value === 0)
      throw misuse('ERR_BPF_TYPE', what, 'it was declared without types', 'use __type(key, …) and __type(value, …)');
    const codecs = [key === 0 ? NO_KEY : codecOf(this.btf, key), codecOf(this.btf, value)] as const;
    if (codecs[0].size !== map.keySize || codecs[1].size !== map.valueSize)
      throw misuse('ERR_BPF_SIZE', what, 'its types are not of its sizes');
    return new TypedMap(OWN, map, ...codecs);
  }

  /** Reads and writes values of a struct, union or typedef of the object, such as a ring buffer's records. Throws `BpfError`. */
  codec<N extends keyof S['types'] & string>(name: N): Codec<S['types'][N]> {
    const kinds = [BtfKind.Struct, BtfKind.Union, BtfKind.Typedef, BtfKind.Enum];
    const id = kinds.map((kind) => this.btf.find(kind, name)).find((found) => found !== 0);
    if (id === undefined)
      throw misuse(
        'ERR_BPF_NAME',
        say`find type ${name}`,
        'the BTF of the object has none of that name; a type nothing refers to is not in it',
      );
    return codecOf(this.btf, id);
  }

  /** A global variable by its name, of whatever type. Throws `BpfError`. */
  global<N extends keyof S['globals'] & string>(name: N): Global<S['globals'][N]> {
    return this.#globals.get(name);
  }

  /** Before load: sets a global of 1 to 8 bytes, in that section, to an integer that fits it. Throws `BpfError`. */
  setGlobal(section: Section, name: string, value: number | bigint | boolean): void {
    const what = say`set global ${name}`;
    this.#life.beforeLoad(what);
    const { offset, size } = this.variable(section, name);
    if (typeof value === 'number' && !Number.isSafeInteger(value))
      throw misuse('ERR_BPF_RANGE', what, `${value} is no integer that a number holds exactly`);
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean')
      throw misuse('ERR_BPF_TYPE', what, `expected an integer, got ${shown(value)}`);
    const wide = BigInt(value);
    if (size > 8) throw misuse('ERR_BPF_SIZE', what, `it has ${size} bytes: it is no integer`);
    if (BigInt.asUintN(8 * size, wide) !== wide && BigInt.asIntN(8 * size, wide) !== wide)
      throw misuse('ERR_BPF_RANGE', what, `${value} does not fit its ${size} bytes`);
    const memory = this.#initialValue(section);
    if (offset + size > memory.length) throw misuse('ERR_BPF_SIZE', what, `it lies outside ${section}`);
    for (let i = 0, rest = wide; i < size; i++, rest >>= 8n) memory[offset + i] = Number(rest & 0xffn);
  }

  /** A section's bytes as libbpf will give them to the kernel. They are libbpf's and are not to be kept. */
  #initialValue(section: string): Uint8Array {
    const what = `set globals of ${section}`;
    this.#life.beforeLoad(what);
    const length = bytes(8);
    const base = libbpf().mapInitialValue(handleOf(this.map(section)), length);
    if (base === null) throw misuse('ERR_BPF_STATE', what, 'the section has no initial value');
    const size = Number(new DataView(length.buffer, length.byteOffset).getBigUint64(0, true));
    return new Uint8Array(viewOf(base, size));
  }

  /** Verifies and loads every program that is to be loaded. Throws `BpfError`, `VerifierError` when a program is refused; the object can then only be closed.
   * Signals sent to this thread meanwhile are delivered afterwards: the verifier gives up over them. */
  load(): void {
    const what = `load ${this.name}`;
    this.#life.beforeLoad(what);
    takeLog();
    const rc = withSignalsHeld(() => libbpf().objectLoad(this.#handle));
    const log = takeLog();
    if (rc < 0) {
      this.close();
      throw loadError('load BPF programs', -rc, log);
    }
    this.#log = log;
    this.#life.loaded();
  }

  /** What libbpf said while it loaded the object: warnings and notes, empty when there were none. */
  get log(): string {
    return this.#log;
  }

  /** Puts the struct_ops map of that name to use (libbpf ≥ 1.0). Throws `BpfError`. */
  attachStructOps(name: string): BpfLink {
    const what = say`attach struct_ops ${name}`;
    this.#life.afterLoad(what);
    const handle = libbpf().attachStructOps(handleOf(this.map(name)));
    if (handle === null) throw errnoError(what, lastErrno(), { log: takeLog() });
    return new BpfLink(OWN, `${name}'s link`, this.#life, { handle }, null);
  }

  /** Detaches its links, the newest first, and unloads. May be called again. */
  close(): void {
    if (this.#life.end()) libbpf().objectClose(this.#handle);
  }
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Closes at once for its users, and detaches its links one by one in a thread of the pool (several at a time take
   * longer): on kernels before 7.x each waits for an RCU-tasks grace period. Resolves when the last is gone.
   */
  async closeAside(): Promise<void> {
    const links = this.#life.endAside();
    if (links === null) return;
    libbpf().objectClose(this.#handle);
    for (const close of links) await close();
  }
}

function known(all: ReadonlyMap<string, unknown>): string {
  return all.size === 0 ? 'it has none at all' : `it has ${[...all.keys()].join(', ')}`;
}
