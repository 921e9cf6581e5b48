// SPDX-License-Identifier: MIT
/** Global variables of an object: its initial values before load, the programs' own memory after it. */
import { cString } from './arguments.js';
import type { Btf } from './btf.js';
import { BtfKind, type BtfVariable } from './btf-kinds.js';
import { codecOf } from './codec.js';
import { misuse } from './errors.js';
import type { Lifetime } from './lifetime.js';
import type { BpfMap } from './map.js';
import { bytes, type Pages } from './memory.js';

/** BPF_F_MMAPABLE; BPF_F_RDONLY_PROG marks .rodata, which is frozen once loaded. */
const MMAPABLE = 1024;
const RDONLY_PROG = 128;

/** One variable. Setting one of `.rodata` or `.kconfig` is possible before load only; reading it always, until close. */
export interface Global<T> {
  readonly section: string;
  readonly size: number;
  /** Throws `BpfError` after close. */
  get(): T;
  /** Throws `BpfError` when the value does not fit, or may not be set any more. */
  set(value: T): void;
}

export interface GlobalHome {
  readonly btf: Btf;
  readonly life: Lifetime;
  map(section: string): BpfMap;
  initialValue(section: string): Uint8Array;
}

/** Where the variable `name` is, in any data section. Throws `BpfError` when there is none. */
function findVariable(btf: Btf, name: string): { section: string; variable: BtfVariable } {
  cString(name, 'find a global');
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BtfKind.Datasec) continue;
    const section = btf.name(id);
    if (!/^\.(rodata|data|bss|kconfig)/.test(section)) continue;
    const variable = btf.datasec(section)?.find((v) => v.name === name);
    if (variable !== undefined) return { section, variable };
  }
  throw misuse('ERR_BPF_NAME', `find global ${name}`, 'the object has none of that name');
}

export class Globals {
  readonly #home: GlobalHome;
  readonly #pages: Map<string, { readonly view: DataView; readonly writable: boolean }> = new Map();

  constructor(home: GlobalHome) {
    this.#home = home;
  }

  get<T>(name: string): Global<T> {
    const { section, variable } = findVariable(this.#home.btf, name);
    const codec = codecOf<T>(this.#home.btf, variable.type);
    const what = `global ${name}`;
    const place = (): { view: DataView; writable: boolean } => this.#memory(section, what);
    const inside = (view: DataView): DataView => {
      if (variable.offset + codec.size > view.byteLength)
        throw misuse('ERR_BPF_SIZE', `use ${what}`, `it lies outside ${section}`);
      return view;
    };
    return {
      section,
      size: codec.size,
      get: () => codec.decode(inside(place().view), variable.offset),
      set: (value) => {
        const { view, writable } = place();
        if (!writable) throw misuse('ERR_BPF_STATE', `set ${what}`, `${section} is fixed once the object is loaded`);
        // Encoded elsewhere first: a value that turns out not to fit leaves the variable as it was.
        const whole = bytes(codec.size);
        const copy = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
        const memory = new Uint8Array(inside(view).buffer, view.byteOffset + variable.offset, codec.size);
        whole.set(memory);
        codec.encode(value, copy, 0, what);
        store(memory, whole);
      },
    };
  }

  #memory(section: string, what: string): { view: DataView; writable: boolean } {
    const { life } = this.#home;
    life.alive(`use ${what}`);
    if (life.stage === 'open') {
      const memory = this.#home.initialValue(section);
      return { view: new DataView(memory.buffer, memory.byteOffset, memory.byteLength), writable: true };
    }
    const known = this.#pages.get(section);
    if (known !== undefined) return known;
    const map = this.#home.map(section);
    const { flags } = map.info;
    if ((flags & MMAPABLE) === 0)
      throw misuse('ERR_BPF_STATE', `use ${what}`, 'this kernel cannot map its section into memory (it takes 5.5)');
    const writable = (flags & RDONLY_PROG) === 0;
    const pages: Pages = map.mmapArray({ writable });
    life.dependents.add(pages);
    const made = { view: new DataView(pages.view), writable };
    this.#pages.set(section, made);
    return made;
  }
}

/** A variable of 4 or 8 bytes is written at once, so that no program reads half of it. */
function store(memory: Uint8Array, bytes: Uint8Array): void {
  const { buffer, byteOffset: at, length } = memory;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (length === 4 && at % 4 === 0) new Uint32Array(buffer, at, 1)[0] = view.getUint32(0, true);
  else if (length === 8 && at % 8 === 0) new BigUint64Array(buffer, at, 1)[0] = view.getBigUint64(0, true);
  else memory.set(bytes);
}
