// SPDX-License-Identifier: MIT
/**
 * Kernel functions whose addresses the probes get, from /proc/kallsyms. Where it hides them (kernel.kptr_restrict, no
 * CAP_SYSLOG) another witness stands in, and what has none is said to be lost.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../errors.js';
import type { SymbolRange } from '../symbols/kallsyms.js';

export interface KernelAddresses {
  /** A stack through it: a trylock of mmap_lock is the one for an anon_vma. Without it the function itself is hooked. */
  readonly anonPrepare: SymbolRange | null;
  /** A stack through it: reclaim is a fault's. Without it the reclaim of a task in no system call is. */
  readonly handleMmFault: SymbolRange | null;
  /** `->map_pages` of ordinary files. Without it a RETRY of a driver's or file system's own stays unknown. */
  readonly filemapMapPages: bigint | null;
  /** Why they are not known; '' when they are. */
  readonly why: string;
}

/** Read in pieces: the whole is ten megabytes and more, on a host whose memory may be gone. */
const PIECE = 1 << 18;
const HIDDEN = 'the kernel hides its addresses (kernel.kptr_restrict, or CAP_SYSLOG is missing)';

/** Aliases of one address, and its padding, take fewer bytes than this. */
const KEPT = 4096;

/** Ranges of the functions named, each from its line to the next higher address; null of one that is there twice. */
function ranges(path: string, names: readonly string[]): Map<string, SymbolRange | null> {
  const found = new Map<string, SymbolRange | null>();
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(PIECE);
    for (let length = 0, read = 1; read > 0; ) {
      read = readSync(file, bytes, length, PIECE - length, null);
      length += read;
      // seq_file gives a page at a time.
      if (read > 0 && length < PIECE) continue;
      // Lines behind a match are looked at, so the last ones wait for the next piece.
      const end = read === 0 ? length : bytes.lastIndexOf('\n', length - KEPT) + 1;
      for (const name of names) search(bytes.subarray(0, length), end, name, found);
      bytes.copyWithin(0, end, length);
      length -= end;
    }
  } finally {
    closeSync(file);
  }
  return found;
}

/** By name, and its line then: a regular expression over all lines takes twenty times as long. */
function search(bytes: Buffer, end: number, name: string, found: Map<string, SymbolRange | null>): void {
  const last = ` ${name}\n`;
  for (let at = bytes.indexOf(last); at >= 0 && at < end; at = bytes.indexOf(last, at + 1)) {
    const line = bytes.toString('latin1', bytes.lastIndexOf('\n', at) + 1, at);
    if (!/^[0-9a-f]{16} [tTwW]$/.test(line)) continue;
    const start = BigInt(`0x${line.slice(0, 16)}`);
    let next = start;
    for (let to = at + last.length; next === start && to > 0 && to + 16 <= bytes.length; )
      [next, to] = [BigInt(`0x${bytes.toString('latin1', to, to + 16)}`), bytes.indexOf('\n', to) + 1];
    found.set(name, found.has(name) || next <= start ? null : { start, end: next });
  }
}

export function kernelAddresses(path = '/proc/kallsyms'): KernelAddresses {
  let found: ReadonlyMap<string, SymbolRange | null> = new Map();
  let why = '';
  try {
    found = ranges(path, ['__vmf_anon_prepare', 'handle_mm_fault', 'filemap_map_pages']);
    // handle_mm_fault is in every kernel: zeros in its place mean that this user may not see addresses.
    if (!found.get('handle_mm_fault')) why = `${path}: ${HIDDEN}`;
  } catch (error) {
    why = `${path}: ${errorCode(error) || String(error)}`;
  }
  return {
    anonPrepare: found.get('__vmf_anon_prepare') ?? null,
    handleMmFault: found.get('handle_mm_fault') ?? null,
    filemapMapPages: found.get('filemap_map_pages')?.start ?? null,
    why,
  };
}
