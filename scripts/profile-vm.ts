// SPDX-License-Identifier: MIT
/**
 * Where the instructions go that watching adds to a swap-in from zram, to one that retries or to a pair of mmap and munmap: by
 * kernel function and program, counted one by one in a guest (test/vm/profile.c). A swap-in that retries sleeps: whoever runs
 * meanwhile, the recorder first of all, is in its figures.
 *
 *     node dist/scripts/profile-vm.js [--kernel 7.3] swap-touch|swap-retry|mmap-pair [-- OPTIONS OF record...]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kallsyms } from '../src/symbols/kallsyms.js';
import { root, runInGuest } from '../test/vm/guest.js';

/** Pages or pairs of a round, as test/vm/guest/profile-costs runs it, and the swap device below it. */
const WORKLOADS: Readonly<Record<string, { readonly times: number; readonly swap: 'slow' | 'zram' }>> = {
  'swap-touch': { times: 256, swap: 'zram' },
  'swap-retry': { times: 256, swap: 'slow' },
  'mmap-pair': { times: 64, swap: 'zram' },
};
/** Rows of less than this many instructions are added up in one. */
const LEAST = 4;
const TIMEOUT_S = 3000;
/** The upper half of the addresses is the kernel's. */
const KERNEL = 1n << 63n;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { kernel: { type: 'string', default: '7.3' } },
});
const [workload = 'swap-touch', ...options] = positionals;
const of = WORKLOADS[workload];
if (of === undefined) throw new Error(`${workload} is none of ${Object.keys(WORKLOADS).join(', ')}`);
const { times, swap } = of;

/** Instructions a page or pair by function; 'user mode' is all that is not the kernel's. */
function profile(directory: string, run: string): Map<string, number> {
  const symbols = Kallsyms.load(join(directory, `${run}.kallsyms`));
  if (symbols === null) throw new Error(`${run}: the guest's /proc/kallsyms has no addresses`);
  const found = new Map<string, number>();
  for (const line of readFileSync(join(directory, `${run}.blocks`), 'utf8')
    .trim()
    .split('\n')) {
    const [hex = '', instructions, executed] = line.split(' ');
    const address = BigInt(`0x${hex}`);
    const name = address < KERNEL ? 'user mode' : symbols.symbol(address).replace(/\+0x[0-9a-f]+/, '');
    found.set(name, (found.get(name) ?? 0) + (Number(instructions) * Number(executed)) / times);
  }
  return found;
}

const directory = mkdtempSync(join(tmpdir(), 'profile-vm-'));
try {
  const { code, stdout, stderr } = await runInGuest({
    kernel: values.kernel,
    argv: ['test/vm/guest/profile-costs', directory, workload, ...options],
    swap,
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
