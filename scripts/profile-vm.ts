// SPDX-License-Identifier: MIT
/**
 * Where the instructions go that watching adds to a swap-in from zram or to a pair of mmap and munmap: by kernel function and
 * program, counted one by one in a guest (test/vm/profile.c).
 *
 *     node dist/scripts/profile-vm.js [--kernel 7.3] swap-touch|mmap-pair [-- OPTIONS OF record...]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, runInGuest } from '../test/vm/guest.js';

/** Pages or pairs of a round, as test/vm/guest/profile-costs runs it. */
const TIMES: Readonly<Record<string, number>> = { 'swap-touch': 256, 'mmap-pair': 64 };
/** Rows of less than this many instructions are added up in one. */
const LEAST = 4;
const TIMEOUT_S = 3000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: 'string', default: '7.3' } },
});
const [workload = 'swap-touch', ...options] = positionals;
const times = TIMES[workload] ?? Number.NaN;
if (Number.isNaN(times)) throw new Error(`${workload} is none of ${Object.keys(TIMES).join(', ')}`);

/** Names of the guest's kernel code by address, ascending. */
function symbolsOf(kallsyms: string): { readonly at: readonly number[]; readonly names: readonly string[] } {
  const rows = [...kallsyms.matchAll(/^([0-9a-f]+) [tTwW] (\S+)/gm)]
    .map(([, address = '', name = '']): [number, string] => [offset(address), name])
    .sort(([x], [y]) => x - y);
  return { at: rows.map(([address]) => address), names: rows.map(([, name]) => name) };
}

/** Kernel addresses are beyond what a double holds: their lower 40 bits are not. */
function offset(address: string): number {
  return Number.parseInt(address.slice(-10), 16);
}

/** Instructions a page or pair by function; 'user mode' is all that is not the kernel's. */
function profile(directory: string, name: string): Map<string, number> {
  const read = (kind: string): string => readFileSync(join(directory, `${name}.${kind}`), 'utf8');
  const { at, names } = symbolsOf(read('kallsyms'));
  const found = new Map<string, number>();
  for (const line of read('blocks').trim().split('\n')) {
    const [address = '', instructions, executed] = line.split(' ');
    const kernel = address.length === 16 && address.startsWith('f');
    const of = kernel ? (names[lastAtMost(at, offset(address))] ?? '?') : 'user mode';
    found.set(of, (found.get(of) ?? 0) + (Number(instructions) * Number(executed)) / times);
  }
  return found;
}

function lastAtMost(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const directory = mkdtempSync(join(tmpdir(), 'profile-vm-'));
try {
  const { code, stdout, stderr } = await runInGuest({
    kernel: values.kernel,
    argv: ['test/vm/guest/profile-costs', directory, workload, ...options],
    swap: 'zram',
    smp: 1,
    icount: 'shift=0,sleep=off',
    plugin: `${join(root, 'dist/test/vm/profile.so')},out=${join(directory, 'blocks')}`,
    share: directory,
    timeoutS: TIMEOUT_S,
  });
  if (code !== 0) throw new Error(`the guest ended with ${code}:\n${stdout}${stderr}`);
  const [alone, watched] = [profile(directory, 'alone'), profile(directory, 'watched')];
  const rows = [...new Set([...alone.keys(), ...watched.keys()])]
    .map((name): [string, number] => [name, (watched.get(name) ?? 0) - (alone.get(name) ?? 0)])
    .sort(([, x], [, y]) => Math.abs(y) - Math.abs(x));
  const shown = rows.filter(([, more]) => Math.abs(more) >= LEAST);
  const rest = rows.slice(shown.length).reduce((sum, [, more]) => sum + more, 0);
  for (const [name, more] of [...shown, ['all others', rest] as const])
    console.log(`${more.toFixed(0).padStart(8)}  ${name}`);
  console.log(stdout.trim());
} finally {
  rmSync(directory, { recursive: true });
}
