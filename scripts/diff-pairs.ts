// SPDX-License-Identifier: MIT
/**
 * `make diff-pairs`: is `diff` to be believed? Runs of one swapping workload over a disk and over zram are recorded in
 * guests, and every pair of them is compared: like with like should name nothing in 19 of 20, disk with zram should name
 * the folio wait first. Also sets of five of those runs, where there are ten of a kind. DIFF_PAIRS_DIR keeps the
 * recordings, and adds to those that are there; DIFF_PAIRS_BOOTS=0 only compares them.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { guestImpossible, root, runInGuest } from '../test/vm/guest.js';
import { compareSets } from './diff-sets.js';

const BOOTS = Number(process.env.DIFF_PAIRS_BOOTS ?? 2);
const ROUNDS = Number(process.env.DIFF_PAIRS_ROUNDS ?? 4);
const SECONDS = Number(process.env.DIFF_PAIRS_SECONDS ?? 6);
const KERNEL = process.env.VM_KERNEL ?? '7.3';
/**
 * The guest's clock advances with its instructions, 4 ns each, and its slow disk goes by that clock: two runs are two runs
 * of one workload on one machine, whatever else this host does. DIFF_PAIRS_SHARED=1 lets the host's moods in.
 */
const SHARED = process.env.DIFF_PAIRS_SHARED === '1';
const MACHINE = SHARED
  ? ({ swap: 'disk', disks: ['512M'] } as const)
  : ({ swap: 'slow', smp: 1, icount: 'shift=2,sleep=off' } as const);
const DISK = SHARED ? '/dev/vda' : '/dev/mapper/slow';
/** A recording under software emulation takes many times as long as it is, on a host that does something else even more. */
const TIMEOUT_S = 600 + ROUNDS * 2 * (30 + SECONDS * 10);

interface Run {
  readonly run: 'disk' | 'zram';
  readonly recording: string;
}

interface Compared {
  readonly findings: readonly string[];
  readonly warnings: readonly string[];
  readonly method: { readonly slices: number; readonly pace: number | null };
  readonly a: { readonly durationNs: number; readonly faults: number };
  readonly b: { readonly durationNs: number; readonly faults: number };
}

/** One guest, ROUNDS runs of each kind; their recordings go to `dir` as `KIND-NUMBER.vmlt`. */
async function boot(dir: string): Promise<void> {
  const { code, stdout, stderr } = await runInGuest({
    kernel: KERNEL,
    ...MACHINE,
    argv: ['test/vm/guest/record-runs', DISK, String(SECONDS), String(ROUNDS)],
    timeoutS: TIMEOUT_S,
  });
  if (code !== 0) throw new Error(`recording in a guest failed (${code}): ${stderr.slice(-2000)}`);
  const first = Math.max(0, ...(await readdir(dir)).map((name) => Number(/-(\d+)\.vmlt$/.exec(name)?.[1] ?? 0))) + 1;
  for (const [i, line] of stdout.trim().split('\n').entries()) {
    const { run, recording } = JSON.parse(line) as Run;
    await writeFile(join(dir, `${run}-${String(first + i).padStart(2, '0')}.vmlt`), Buffer.from(recording, 'base64'));
  }
}

async function diff(a: string, b: string): Promise<Compared> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'dist/cli/main.js'), 'diff', '--json', a, b],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout) as Compared;
}

function tally(items: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts]
    .sort(([, x], [, y]) => y - x)
    .map(([item, count]) => `${item} (${count})`)
    .join(', ');
}

async function compareAll(dir: string): Promise<void> {
  const files = (await readdir(dir)).filter((name) => name.endsWith('.vmlt')).sort();
  const kindOf = (name: string): string => name.split('-')[0] ?? '';
  const groups = new Map<string, { pair: string; compared: Compared }[]>();
  for (const [i, a] of files.entries()) {
    for (const b of files.slice(i + 1)) {
      const compared = await diff(join(dir, a), join(dir, b));
      const name = `${kindOf(a)} with ${kindOf(b)}`;
      const pair = `${a.replace('.vmlt', '')} ${b.replace('.vmlt', '')}`;
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      group.push({ pair, compared });
      const { findings, method } = compared;
      const rate = ({ faults, durationNs }: Compared['a']): number => faults / (durationNs / 1e9);
      console.log(
        `${pair}: ${findings.length} of the figures differ${findings.length > 0 ? `, first ${findings.slice(0, 3).join(', ')}` : ''}` +
          ` (${method.slices} slices, pace ${method.pace?.toFixed(2) ?? 'unknown'}, faults/s ×${(rate(compared.b) / rate(compared.a)).toFixed(2)})`,
      );
    }
  }
  console.log('\n| Pairs | Pairs that name something | Named first |\n|---|---|---|');
  for (const [name, group] of groups) {
    const naming = group.filter(({ compared }) => compared.findings.length > 0);
    const first = tally(naming.map(({ compared }) => compared.findings[0] ?? ''));
    console.log(`| ${name} | ${naming.length} of ${group.length} | ${first} |`);
  }
  const byKind = new Map<string, string[]>();
  for (const file of files) byKind.set(kindOf(file), [...(byKind.get(kindOf(file)) ?? []), file]);
  console.log('\n| Sets of five runs | Sets that name something | Named first |\n|---|---|---|');
  for (const [name, { sets, first }] of await compareSets(dir, byKind))
    console.log(`| ${name} | ${first.length} of ${sets} | ${tally(first)} |`);
}

const impossible = await guestImpossible();
if (impossible !== undefined && BOOTS > 0) throw new Error(impossible);
const kept = process.env.DIFF_PAIRS_DIR;
const dir = kept ?? (await mkdtemp(join(tmpdir(), 'vmalocktop-pairs-')));
await mkdir(dir, { recursive: true });
try {
  for (let n = 0; n < BOOTS; n++) {
    console.error(`guest ${n + 1} of ${BOOTS}: ${ROUNDS} recordings of each kind, ${SECONDS} s each`);
    await boot(dir);
  }
  await compareAll(dir);
} finally {
  if (kept === undefined) await rm(dir, { recursive: true });
}
