// SPDX-License-Identifier: MIT
/** What a swap-in costs that retries, and what a workload of such faults feels of being watched; part of `make bench-vm`. */
import { countInGuest } from './bench-guest.js';
import { difference, percent, thousands } from './bench-words.js';

/** Cases of test/vm/guest/bench-retries, and how they are called. */
const CASES: readonly (readonly [string, string])[] = [
  ['nothing', 'nothing attached'],
  ['--scope retry', 'vmalocktop, the default'],
  ['--scope swap', 'vmalocktop `--scope swap`'],
  ['--scope all', 'vmalocktop `--scope all`'],
  ['bpftrace-fexit', 'bpftrace, fentry + fexit, three histograms'],
];

interface Line {
  readonly case: string;
  readonly swap: {
    readonly pages: number;
    readonly rounds: number;
    readonly out: number;
    readonly cpu: { readonly minNs: number };
  };
  readonly walk: { readonly touchNs: number; readonly touches: number; readonly walkedNs: number } | null;
  /** ns. */
  readonly own: number;
  /** Of swap-touch, in the rounds that it times and in those before. */
  readonly retries: number;
}

export interface RetryCosts {
  readonly release: string;
  readonly lines: ReadonlyMap<string, Line>;
}

/** What retried less often than it was swapped out was no such fault, or was not seen. */
function checked(line: Line): Line {
  const { pages, rounds, out } = line.swap;
  if (out < pages * rounds * 0.99)
    throw new Error(`${line.case}: only ${out} of ${pages * rounds} pages were swapped out`);
  if (line.case !== 'nothing' && line.retries < out * 0.95)
    throw new Error(`${line.case}: only ${line.retries} of ${out} swap-ins retried, so their cost says nothing`);
  return line;
}

/** `cases`: of `CASES`, by default all. */
export async function measureRetries(
  kernel: string,
  cases: readonly string[] = CASES.map(([name]) => name),
): Promise<RetryCosts> {
  const { release, lines } = await countInGuest<Line>(kernel, 'bench-retries', cases, { swap: 'slow' });
  return { release, lines: new Map(lines.map((line) => [line.case, checked(line)])) };
}

function cellsOf({ swap, walk, own, retries }: Line, base: Line): readonly string[] {
  const alone = base.walk;
  if (alone === null) throw new Error('the guest did not walk with nothing attached');
  const each = alone.touchNs / alone.touches;
  if (swap === base.swap) return [thousands(swap.cpu.minNs), '', `${thousands(each / 1000)} µs`, ''];
  return [
    difference(swap.cpu.minNs - base.swap.cpu.minNs),
    own === 0 ? '' : difference(own / retries),
    walk === null ? '' : percent(walk.touchNs / walk.touches / each - 1),
    walk === null ? '' : percent(walk.walkedNs / alone.walkedNs - 1),
  ];
}

export function retriesSection(results: readonly RetryCosts[]): string {
  const rows = CASES.map(([name, title]) => {
    const cells = results.flatMap(({ lines }) => {
      const [line, base] = [lines.get(name), lines.get('nothing')];
      if (line === undefined || base === undefined) throw new Error('the guest did not report every case');
      return cellsOf(line, base);
    });
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  const columns = ['kernel', 'own process', 'touches', 'walks'];
  return [
    'Guest instructions for a swap-in that retries (one page, from a device that takes some milliseconds): *kernel* as above; *own',
    "process*: what the recorder's threads ran meanwhile, a swap-in. So few come in a second that nearly all of it is looking at a ring",
    'that is empty. And the same device walked by four threads (`test/workload/policy.c`) on one CPU: how much longer their touches,',
    "and their walks, took by the guest's clock.",
    '',
    `| | ${results.flatMap(({ release }) => columns.map((column, i) => (i === 0 ? `${release}: ${column}` : column))).join(' | ')} |`,
    `|---|${'---:|'.repeat(columns.length * results.length)}`,
    ...rows,
  ].join('\n');
}
