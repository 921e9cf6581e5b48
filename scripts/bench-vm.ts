// SPDX-License-Identifier: MIT
/**
 * `make bench-vm`: what one ordinary page fault, one swap-in and one pair of mmap and munmap cost on real kernels, in
 * instructions, with programs attached and without; tables in BENCHMARKS.md. QEMU's -icount counts: one guest nanosecond
 * is one instruction, so the figures do not depend on how busy the host is.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GUEST_IMPOSSIBLE, guestImpossible, kernels, root } from '../test/vm/guest.js';
import { countInGuest } from './bench-guest.js';
import { measureRetries, type RetryCosts, retriesSection } from './bench-retries.js';
import { difference, thousands } from './bench-words.js';

const BENCHMARKS = join(root, 'BENCHMARKS.md');
const BEGIN = '<!-- bench-vm -->';
const END = '<!-- /bench-vm -->';
/** Short rounds, so that many of them see neither a timer tick nor another process. */
const ROUNDS = 400;
const PAGES = 256;

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
  const { release, lines } = await countInGuest<Line>(kernel, 'bench-faults', [String(ROUNDS), String(PAGES)]);
  return { release, costs: new Map(lines.map((line) => [line.case, checked(line)])) };
}

function cell(cost: Cost | undefined, base: Cost | undefined): string {
  if (cost === undefined || base === undefined) throw new Error('the guest did not report every case');
  return cost === base
    ? thousands(cost.min)
    : `${difference(cost.min - base.min)} (${difference(cost.median - base.median)})`;
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

/** What a swap-in from zram and a writer nobody waits for cost: `bench-costs`' cases and how they are called. */
const COSTS: readonly (readonly [string, string])[] = [
  ['nothing', 'nothing attached'],
  ['--scope retry', 'vmalocktop, the default'],
  ['--scope retry --no-writers', 'vmalocktop `--no-writers`'],
  ['--scope swap', 'vmalocktop `--scope swap`: every swap fault is followed'],
  ['bpftrace-fexit', 'bpftrace, fentry + fexit, three histograms; the tracepoints, one'],
];

interface Touch {
  readonly pages: number;
  readonly rounds: number;
  readonly out: number;
  readonly cpu: { readonly minNs: number; readonly medianNs: number };
  readonly wall: { readonly minNs: number; readonly medianNs: number };
}

interface CostLine {
  readonly case: string;
  readonly swap: Touch;
  readonly mmap: Pick<Touch, 'cpu'>;
  /** do_swap_page calls the attached programs counted. */
  readonly seen: number;
}

/** As `checked`: what was not attached costs nothing. A page that was not out of memory was no swap-in. */
function checkedCost(line: CostLine): CostLine {
  const { out, pages, rounds } = line.swap;
  if (out < pages * rounds * 0.99)
    throw new Error(`${line.case}: only ${out} of ${pages * rounds} pages were swapped out`);
  if (line.case !== 'nothing' && line.seen < out)
    throw new Error(`${line.case}: only ${line.seen} of ${out} swap-ins were counted, so their cost says nothing`);
  return line;
}

async function measureCosts(kernel: string): Promise<{ release: string; lines: Map<string, CostLine> }> {
  const cases = COSTS.map(([name]) => name);
  const { release, lines } = await countInGuest<CostLine>(kernel, 'bench-costs', cases, {
    swap: 'zram',
    mods: ['zram'],
  });
  return { release, lines: new Map(lines.map((line) => [line.case, checkedCost(line)])) };
}

function costsSection(results: readonly { release: string; lines: Map<string, CostLine> }[]): string {
  const rows = COSTS.map(([name, title]) => {
    const cells = results.flatMap(({ lines }) => {
      const line = lines.get(name);
      const base = lines.get('nothing');
      if (line === undefined || base === undefined) throw new Error('the guest did not report every case');
      // What is not of the thread itself is what everybody else took meanwhile: our own process, first of all.
      const others = Math.max(0, line.swap.wall.medianNs - line.swap.cpu.medianNs);
      if (line === base) return [thousands(line.swap.cpu.minNs), thousands(others), thousands(line.mmap.cpu.minNs)];
      return [
        difference(line.swap.cpu.minNs - base.swap.cpu.minNs),
        difference(others),
        difference(line.mmap.cpu.minNs - base.mmap.cpu.minNs),
      ];
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  return [
    'Guest instructions for a swap-in from zram (one page, ordinary: it neither retries nor waits) and for a pair of mmap and',
    "munmap of two pages that nobody waits for. *Kernel*: the thread's own CPU time, cheapest round; *others*: what everybody",
    'else took meanwhile on the one CPU, a page, median round: our own process recording to a file.',
    '',
    `| | ${results.map(({ release }) => `${release}: swap-in, kernel | swap-in, others | mmap + munmap`).join(' | ')} |`,
    `|---|${'---:|'.repeat(3 * results.length)}`,
    ...rows,
  ].join('\n');
}

const impossible = await guestImpossible();
if (impossible !== undefined) {
  console.error(`bench-vm: ${impossible}`);
  process.exit(GUEST_IMPOSSIBLE);
}
const faults: KernelCosts[] = [];
const costs: Awaited<ReturnType<typeof measureCosts>>[] = [];
const retries: RetryCosts[] = [];
for (const kernel of kernels) {
  console.error(`bench-vm: ${kernel}, some minutes`);
  faults.push(await measure(kernel));
  costs.push(await measureCosts(kernel));
  retries.push(await measureRetries(kernel));
}
const content = [section(faults), costsSection(costs), retriesSection(retries)].join('\n\n');
process.stdout.write(`${content}\n`);
// Read only now: `make bench` may have written its part meanwhile.
writeFileSync(
  BENCHMARKS,
  withSection(existsSync(BENCHMARKS) ? readFileSync(BENCHMARKS, 'utf8') : '# Benchmarks\n', content),
);
