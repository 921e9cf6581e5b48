// SPDX-License-Identifier: MIT
/** test/kernels/boots.json: what tests said on kernels that were booted (scripts/kernels.ts), and the page made of it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { byVersion, kernelTable } from './table.js';

export interface Boot {
  /** `uname -r` */
  readonly kernel: string;
  /** A key of BOOTED, or FETCHED. */
  readonly test: string;
  readonly cpus: number;
  /** Of the run: 2026-11-29 */
  readonly date: string;
  readonly passed: boolean;
  /** What failed, and the figures the test gave. */
  readonly said: readonly string[];
}

/** Column of the page → file in test/vm. */
export const BOOTED: Readonly<Record<string, string>> = { gates: 'spine', causes: 'causes', check: 'check' };
/** In place of a test: the kernel could not be had, and `said` why. */
export const FETCHED = 'fetched';
export const PAGE: string = fileURLToPath(new URL('../../../docs/kernels.md', import.meta.url));

const KEPT = fileURLToPath(new URL('../../../test/kernels/boots.json', import.meta.url));

export function boots(): readonly Boot[] {
  return JSON.parse(readFileSync(KEPT, 'utf8')) as readonly Boot[];
}

/** The gates' truth against what was counted, short: `128 of 128`. */
function gates(said: readonly string[]): string {
  const cells = said.flatMap((line) => {
    const [, name, truth, retries, missed] =
      /^((?:uffd-)?gate-\d+): truth (\d+), retries (\d+),.* missed (\d+)$/.exec(line) ?? [];
    return name === undefined
      ? []
      : [`${name.replace(/-\d+$/, '')} ${retries} of ${truth}${missed === '0' ? '' : `, missed ${missed}`}`];
  });
  return cells.join('; ');
}

function cell(row: Boot | undefined): string {
  if (row === undefined) return 'not run';
  const words = row.test === 'gates' ? gates(row.said) : '';
  const failed = row.said.filter((line) => line.startsWith('failed: ')).join('; ');
  return `${row.passed ? 'passed' : 'FAILED'}${words && `: ${words}`}${failed && ` (${failed})`}`;
}

export function kernelsPage(kept: readonly Boot[]): string {
  const { kernels } = kernelTable();
  const lacks = new Map(kernels.map((row) => [row.kernel, row.lacks]));
  const columns = Object.keys(BOOTED);
  const names = [...new Set([...lacks.keys(), ...kept.map(({ kernel }) => kernel)])].sort(
    (a, b) => byVersion(a, b) || (a < b ? -1 : 1),
  );
  const rows = names.flatMap((kernel) => {
    const of = kept.filter((row) => row.kernel === kernel);
    const unfetched = of.find((row) => row.test === FETCHED)?.said.join('; ');
    const cpus =
      of.length === 0 || unfetched !== undefined
        ? [null]
        : [...new Set(of.map((row) => row.cpus))].sort((a, b) => a - b);
    const hooks =
      lacks
        .get(kernel)
        ?.map((name) => `\`${name.replace(/^\w+ /, '')}\``)
        .join(' ') ?? 'not looked at';
    return cpus.map((n) => {
      const cells = columns.map((test) => cell(of.find((row) => row.test === test && row.cpus === n)));
      if (unfetched !== undefined) cells[0] = `not run: ${unfetched}`;
      return `| ${kernel} | ${n ?? ''} | ${cells.join(' | ')} | ${hooks || 'none'} |`;
    });
  });
  return `<!-- SPDX-License-Identifier: MIT -->
<!-- Written by scripts/kernels.ts: make kernels KERNELS="7.3-rt". -->
# Kernels

What was seen on which kernel. vmalocktop runs on kernels from 6.4 on (arm64: 6.12) that have per-VMA locks and BTF; this page says
where that was tried, and with which outcome. Each row is a stock Debian kernel in an emulated guest.

* **gates**: so many threads wait for one folio (or one userfault) at once; each is one RETRY, with its cause, its fallback and
  its end. *500 of 500* is exact. Where the kernel skipped runs of a program, it says how many (*missed*), and what lacks is
  never more than that.
* **causes**: a workload for each cause, wait and user of the VMA lock; each is named, as often as it was made.
* **check**: ten thousand mixed faults and more; no rule of [check.md](check.md) is violated, and RETRY counted is RETRY followed.
* **lacks**: functions our programs name that this kernel does not have; what they show is then *unknown*, or another hook
  shows it. The relocations of every program are resolved against the types of each x86-64 kernel here by a unit test, booted or not.

| Kernel | CPUs | ${columns.join(' | ')} | lacks |
|---|---|${columns.map(() => '---|').join('')}---|
${rows.join('\n')}
`;
}
