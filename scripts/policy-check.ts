// SPDX-License-Identifier: MIT
/**
 * `make policy-check`: holds `verdict` against kernels that do what it predicts. Workloads (test/workload/policy.c) run
 * bare on kernels of all three policies, and recorded on the one that does as Linux does; the table of docs/verdict.md is
 * written again. POLICY_REPEATS runs of POLICY_ROUNDS walks each, of the workloads that POLICY_ONLY names; POLICY_DIR keeps
 * what they said, and what is there is not measured again.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { VerdictReport } from '../src/core/verdict/report.js';
import { guestImpossible, root, runInGuest } from '../test/vm/guest.js';
import { rowsOf, type Truth, tableOf } from './policy-figures.js';

const NAMES = (process.env.POLICY_ONLY ?? 'swap storm hold same file-fork uffd zram').split(' ');
const REPEATS = Number(process.env.POLICY_REPEATS ?? 5);
const ROUNDS = Number(process.env.POLICY_ROUNDS ?? 3);
/** Runs at each repeat, of those whose touches are so short that a few which the host delays decide the sum. */
const TIMES: Readonly<Record<string, number>> = { zram: 5, uffd: 3 };
const RUNS = NAMES.flatMap((name) => Array.from({ length: TIMES[name] ?? 1 }, () => name));
const PAGE = join(root, 'docs/verdict.md');
const BEGIN = '<!-- policy-check -->';
const END = '<!-- /policy-check -->';
/** A guest that takes ten times as long as a quiet one, with its recordings. */
const TIMEOUT_S = 600 + RUNS.length * REPEATS * 60;
const KERNELS = { today: '6.12-policy-today', retry: '6.12-policy-retry-vma', keep: '6.12-policy-keep-vma' } as const;

interface Ran {
  readonly name: string;
  readonly truth: Truth;
}

/** What a guest printed, or what is kept of an earlier one. */
async function printed(dir: string, how: 'bare' | 'record', policy: keyof typeof KERNELS): Promise<readonly string[]> {
  const file = join(dir, `${how}-${policy}.jsonl`);
  let text = await readFile(file, 'utf8').catch(() => '');
  if (text === '') {
    console.error(`${how} on ${KERNELS[policy]}: ${RUNS.length} runs, ${REPEATS} times`);
    const { code, stdout, stderr } = await runInGuest({
      kernel: KERNELS[policy],
      // With one thread that counts instructions as time (icount), a CPU was not interrupted while the other was in a
      // system call of 40 ms: what it waited for was the emulator.
      threads: 'multi',
      swap: 'slow',
      append: 'brd.rd_nr=2 brd.rd_size=262144',
      timeoutS: TIMEOUT_S,
      argv: ['test/vm/guest/policy', how, String(REPEATS), String(ROUNDS), ...RUNS],
    });
    if (code !== 0) throw new Error(`${how} on ${KERNELS[policy]} failed (${code}): ${stderr.slice(-2000)}`);
    text = stdout;
    await writeFile(file, text);
  }
  return text.trim().split('\n');
}

const runsOf = (lines: readonly string[]): readonly Ran[] =>
  lines.map((line) => JSON.parse(line) as Ran).filter(({ name }) => name !== '');

async function verdictOf(dir: string, line: string): Promise<VerdictReport> {
  const file = join(dir, 'recording.vmlt');
  await writeFile(file, Buffer.from((JSON.parse(line) as { recording: string }).recording, 'base64'));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(root, 'dist/cli/main.js'), 'verdict', '--json', file],
    { maxBuffer: 2 ** 26 },
  );
  return JSON.parse(stdout) as VerdictReport;
}

async function check(dir: string): Promise<string> {
  const bare = {
    today: runsOf(await printed(dir, 'bare', 'today')),
    retry: runsOf(await printed(dir, 'bare', 'retry')),
    keep: runsOf(await printed(dir, 'bare', 'keep')),
  };
  const lines = await printed(dir, 'record', 'today');
  const { byProcess } = await verdictOf(dir, lines.at(-1) ?? '');
  const of = (runs: readonly Ran[], name: string): readonly Truth[] =>
    runs.filter((run) => run.name === name).map(({ truth }) => truth);
  const rows = NAMES.flatMap((name) =>
    rowsOf({
      name,
      predicted: of(runsOf(lines), name).map((truth) => ({
        truth,
        verdict: byProcess.find(({ key }) => key.startsWith(`${truth.pid} `)) ?? null,
      })),
      measured: { today: of(bare.today, name), retry: of(bare.retry, name), keep: of(bare.keep, name) },
    }),
  );
  return tableOf(rows);
}

const impossible = await guestImpossible();
if (impossible !== undefined) throw new Error(impossible);
const kept = process.env.POLICY_DIR;
const dir = kept ?? (await mkdtemp(join(tmpdir(), 'vmalocktop-policy-')));
await mkdir(dir, { recursive: true });
try {
  const table = await check(dir);
  console.log(table);
  const page = await readFile(PAGE, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE}: no ${BEGIN} … ${END}`);
  await writeFile(PAGE, `${page.slice(0, begin)}${BEGIN}\n${table}\n${page.slice(end)}`);
} finally {
  if (kept === undefined) await rm(dir, { recursive: true });
}
