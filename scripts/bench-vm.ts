// SPDX-License-Identifier: MIT
/**
 * `make bench-vm`: what one ordinary page fault costs on real kernels, in instructions, with programs attached and
 * without; a table in BENCHMARKS.md. QEMU's -icount counts: one guest nanosecond is one instruction, so the figures do
 * not depend on how busy the host is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST_IMPOSSIBLE, guestImpossible, kernels, root, runInGuest } from '../test/vm/guest.js';

const BENCHMARKS = join(root, 'BENCHMARKS.md');
const BEGIN = '<!-- bench-vm -->';
const END = '<!-- /bench-vm -->';
/** Short rounds, so that many of them see neither a timer tick nor another process. */
const ROUNDS = 400;
const PAGES = 256;
/** Six sessions of a program and a start of Node each, at a few hundred million instructions a second. */
const TIMEOUT_S = 900;

const CASES = {
  nothing: 'nothing attached',
  swap: 'vmalocktop `--scope swap`',
  retry: 'vmalocktop `--scope retry` (the default)',
  all: 'vmalocktop `--scope all`',
  'kprobe:kretprobe': 'bpftrace, kprobe + kretprobe',
  'kfunc:kretfunc': 'bpftrace, fentry + fexit',
} as const;
type Case = keyof typeof CASES;

interface Cost {
  /** Instructions per fault in the cheapest and in the median round. */
  min: number;
  median: number;
}

interface KernelCosts {
  release: string;
  costs: Map<Case, Cost>;
}

interface Line {
  case: Case;
  touch: { pages: number; rounds: number; cpu: { minNs: number; medianNs: number } };
  /** Faults the attached programs counted on the whole system; 0 for `nothing`. */
  seen: number;
}

/** A program that was not really attached costs nothing, so a case only counts if it saw all the faults there were. */
function checked(line: Line): Cost {
  const made = line.touch.pages * line.touch.rounds;
  if (line.case !== 'nothing' && line.seen < made) {
    throw new Error(`${line.case}: only ${line.seen} of ${made} faults were counted, so its cost says nothing`);
  }
  return { min: line.touch.cpu.minNs, median: line.touch.cpu.medianNs };
}

async function measure(kernel: string): Promise<KernelCosts> {
  const script = 'uname -r; exec test/vm/guest/bench-faults "$@"';
  const { code, stdout, stderr } = await runInGuest({
    kernel,
    argv: ['bash', '-c', script, 'bash', String(ROUNDS), String(PAGES)],
    smp: 1,
    icount: 'shift=0,sleep=off',
    timeoutS: TIMEOUT_S,
  });
  if (code !== 0) throw new Error(`the guest on ${kernel} ended with ${code}:\n${stdout}${stderr}`);
  const [release = kernel, ...lines] = stdout.trim().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  return { release, costs: new Map(parsed.map((line) => [line.case, checked(line)])) };
}

const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

function cell(cost: Cost | undefined, base: Cost | undefined): string {
  if (cost === undefined || base === undefined) throw new Error('the guest did not report every case');
  return cost === base
    ? thousands(cost.min)
    : `+${thousands(cost.min - base.min)} (+${thousands(cost.median - base.median)})`;
}

function section(results: readonly KernelCosts[]): string {
  const rows = (Object.keys(CASES) as Case[]).map((name) => {
    const cells = results.map(({ costs }) => cell(costs.get(name), costs.get('nothing')));
    return `| ${[CASES[name], ...cells].join(' | ')} |`;
  });
  return [
    'Guest instructions for one ordinary anonymous page fault (QEMU `-icount shift=0`, one CPU), and what attached programs add:',
    `the thread's own CPU time, minimum of ${ROUNDS} rounds of ${PAGES} pages (in brackets: median). The bpftrace scripts count entry and`,
    'return of `lock_vma_under_rcu` and `handle_mm_fault`. Each case counted every fault it is charged with.',
    '',
    `| | ${results.map(({ release }) => release).join(' | ')} |`,
    `|---|${'---:|'.repeat(results.length)}`,
    ...rows,
  ].join('\n');
}

/** `text` with what stands between the markers replaced, or with both appended. */
function withSection(text: string, content: string): string {
  const block = `${BEGIN}\n${content}\n${END}`;
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from === -1 || to < from) return `${text.trimEnd()}\n\n${block}\n`;
  return text.slice(0, from) + block + text.slice(to + END.length);
}

const impossible = await guestImpossible();
if (impossible !== undefined) {
  console.error(`bench-vm: ${impossible}`);
  process.exit(GUEST_IMPOSSIBLE);
}
const results: KernelCosts[] = [];
for (const kernel of kernels) {
  console.error(`bench-vm: ${kernel}, some minutes`);
  results.push(await measure(kernel));
}
const content = section(results);
process.stdout.write(`${content}\n`);
// Read only now: `make bench` may have written its part meanwhile.
writeFileSync(
  BENCHMARKS,
  withSection(existsSync(BENCHMARKS) ? readFileSync(BENCHMARKS, 'utf8') : '# Benchmarks\n', content),
);
