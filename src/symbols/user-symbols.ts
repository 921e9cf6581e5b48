// SPDX-License-Identifier: MIT
/**
 * Names for the addresses of user stacks.
 *
 * Everything is read in the background: /proc/PID/maps waits for the very locks this tool observes (mmap_lock, from 6.17
 * on VMA locks, which a writer of that process may hold), and a file may lie on a network that is gone.
 * Never by build-id: the kernel would take a VMA lock for each frame (stack_map_lock_vma).
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { awaitsDemangler, demangle, prepareDemangler } from './demangle.js';
import type { ElfSymbols } from './elf-symbols.js';
import { mappedSymbols } from './mapped-file.js';
import { type Mapping, mappingAt, parseMaps } from './process-maps.js';
import type { Readers } from './readers.js';
import { printable } from './text.js';

/** Mappings older than this are read again before a new stack of the process is named: libraries come and go. */
const FRESH_MS = 1000;
const MAX_PROCESSES = 512;
const MAX_FILES = 512;
/** Of all symbol tables held; the file used longest ago goes first. */
const MAX_BYTES = 128 << 20;

interface Process {
  mappings: readonly Mapping[];
  readAt: number;
  reading: boolean;
  /** Addresses asked for meanwhile: their files are opened as soon as they are known, the process may end any moment. */
  readonly wanted: Set<number>;
}

interface File {
  symbols: ElfSymbols | null;
  reading: boolean;
}

export class UserSymbols {
  /** How often the mappings of a process could not be read: it had ended, or we may not. */
  unreadable = 0;
  readonly #proc: string;
  readonly #readers: Readers;
  readonly #processes: Map<number, Process> = new Map();
  readonly #files: Map<string, File> = new Map();
  #bytes = 0;
  #demangling = false;

  constructor(readers: Readers, proc = '/proc') {
    this.#readers = readers;
    this.#proc = proc;
  }

  /**
   * `name+0x12 [file]` an address, C++ and Rust names as their source has them; `file+0x…` (as objdump counts) where the file names no function there, `file@0x…`
   * (offset in the file) where it could not be read, `[anon]+0x…` for code without a file, and the bare address outside
   * all mappings. null: not all is read yet, ask again; with `final` whatever is known by now is used.
   * `addresses[0]` is where the process was, those behind it are where calls return to.
   */
  frames(pid: number, addresses: readonly bigint[], final = false): string[] | null {
    const process = this.#process(pid);
    if (process.reading && !final) {
      this.prepare(pid, addresses);
      return null;
    }
    const places = addresses.map((address, i) => {
      const at = lookup(address, i);
      const mapping = mappingAt(process.mappings, at);
      return { address, at, mapping, file: mapping && this.#file(pid, mapping) };
    });
    if (!final && places.some(({ file }) => file?.reading)) return null;
    if (!final && places.some(({ mapping, file, at }) => awaitsDemangler(symbolName(mapping, file, at)))) {
      if (!this.#demangling) this.#readers.run(prepareDemangler);
      this.#demangling = true;
      return null;
    }
    return places.map(({ address, at, mapping, file }) =>
      mapping === null ? `0x${address.toString(16)}` : frame(mapping, file?.symbols ?? null, at, Number(address) - at),
    );
  }

  /** Begins to read what the names of these addresses take, if it is not there; returns at once. */
  prepare(pid: number, addresses: readonly bigint[]): void {
    const process = this.#process(pid);
    addresses.forEach((address, i) => {
      const at = lookup(address, i);
      if (process.reading) process.wanted.add(at);
      else this.#open(pid, process, at);
    });
  }

  #process(pid: number): Process {
    const known = this.#processes.get(pid);
    const process = known ?? { mappings: [], readAt: Number.NEGATIVE_INFINITY, reading: false, wanted: new Set() };
    if (!process.reading && performance.now() - process.readAt > FRESH_MS) {
      process.reading = true;
      this.#processes.delete(pid);
      this.#processes.set(pid, process);
      if (this.#processes.size > MAX_PROCESSES) dropOldest(this.#processes);
      this.#readers.run(() => this.#readMaps(pid, process));
    }
    return process;
  }

  async #readMaps(pid: number, process: Process): Promise<void> {
    try {
      const mappings = parseMaps(await readFile(`${this.#proc}/${pid}/maps`, 'utf8'));
      // An exiting process still has a file of that name, and nothing in it.
      if (mappings.length > 0) process.mappings = mappings;
      else this.unreadable++;
    } catch {
      this.unreadable++;
    }
    process.readAt = performance.now();
    process.reading = false;
    for (const at of process.wanted) this.#open(pid, process, at);
    process.wanted.clear();
  }

  #open(pid: number, process: Process, at: number): void {
    const mapping = mappingAt(process.mappings, at);
    if (mapping !== null) this.#file(pid, mapping);
  }

  #file(pid: number, mapping: Mapping): File | null {
    if (mapping.inode === 0n && mapping.path !== '[vdso]') return null;
    const key = `${mapping.device} ${mapping.inode} ${mapping.path}`;
    const known = this.#files.get(key);
    if (known !== undefined) {
      this.#files.delete(key);
      this.#files.set(key, known);
      return known;
    }
    const file: File = { symbols: null, reading: true };
    this.#files.set(key, file);
    this.#readers.run(async () => {
      file.symbols = await mappedSymbols(this.#proc, pid, mapping).catch(() => null);
      file.reading = false;
      this.#bytes += file.symbols?.bytes ?? 0;
      this.#shrink();
    });
    return file;
  }

  #shrink(): void {
    for (const [key, { symbols, reading }] of this.#files) {
      if (this.#bytes <= MAX_BYTES && this.#files.size <= MAX_FILES) return;
      if (reading) continue;
      this.#files.delete(key);
      this.#bytes -= symbols?.bytes ?? 0;
    }
  }
}

/** Where to look for the name of the `i`th address of a stack: a return address may lie behind its function's last call. */
function lookup(address: bigint, i: number): number {
  return Number(address) - (i > 0 ? 1 : 0);
}

function dropOldest<K>(map: Map<K, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}

/** As the file has it, mangled; '' where it names no function. */
function symbolName(mapping: Mapping | null, file: File | null, at: number): string {
  if (mapping === null || file?.symbols == null) return '';
  const address = file.symbols.address(at - mapping.start + mapping.offset);
  return address === null ? '' : (file.symbols.symbol(address)?.name ?? '');
}

/** `back`: how far before the address the look-up was made. */
function frame(mapping: Mapping, symbols: ElfSymbols | null, at: number, back: number): string {
  const hex = (n: number): string => `0x${n.toString(16)}`;
  const offset = at - mapping.start + mapping.offset;
  const name = mapping.path === '' ? '[anon]' : printable(mapping.inode === 0n ? mapping.path : basename(mapping.path));
  if (mapping.inode === 0n && mapping.path !== '[vdso]') return `${name}+${hex(at - mapping.start + back)}`;
  const address = symbols?.address(offset) ?? null;
  if (symbols === null || address === null) return `${name}@${hex(offset + back)}`;
  const symbol = symbols.symbol(address);
  if (symbol === null) return `${name}+${hex(address + back)}`;
  const inside = symbol.offset + back;
  const file = mapping.path === '[vdso]' ? name : `[${name}]`;
  return `${printable(demangle(symbol.name))}${inside === 0 ? '' : `+${hex(inside)}`} ${file}`;
}
