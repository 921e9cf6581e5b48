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

/** Ranges of the functions named, each from its line to the next higher address; null of one that is there twice. */
function ranges(path: string, names: readonly string[]): Map<string, SymbolRange | null> {
  const found = new Map<string, SymbolRange | null>();
  const wanted = new RegExp(`^[0-9a-f]{16} [tTwW] (?:${names.join('|')})$`, 'gm');
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(PIECE);
    let rest = '';
    for (let read = readSync(file, bytes); read > 0; read = readSync(file, bytes)) {
      const text = rest + bytes.toString('latin1', 0, read);
      // Lines behind a match are looked at, so the last ones wait for the next piece.
      const cut = text.lastIndexOf('\n', Math.max(0, text.length - KEPT)) + 1;
      search(text, cut, wanted, found);
      rest = text.slice(cut);
    }
    search(rest, rest.length, wanted, found);
  } finally {
    closeSync(file);
  }
  return found;
}

/** Aliases of one address, and its padding, take fewer bytes than this. */
const KEPT = 4096;

function search(text: string, end: number, wanted: RegExp, found: Map<string, SymbolRange | null>): void {
  for (const { 0: line, index } of text.matchAll(wanted)) {
    if (index >= end) return;
    const start = BigInt(`0x${line.slice(0, 16)}`);
    let next = start;
    for (let at = index; next === start && at >= 0; ) {
      at = text.indexOf('\n', at) + 1;
      if (at === 0 || at + 16 > text.length) break;
      next = BigInt(`0x${text.slice(at, at + 16)}`);
    }
    const name = line.slice(19);
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
