// SPDX-License-Identifier: MIT
/**
 * Five changes that come again and again, made on a copy of the tree: how many files each touches, what the compiler
 * names while it is half done, and that every output follows. CONTRIBUTING.md shows them as worked examples.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Btf } from 'ebpf-ts';
import { generate } from '../../src/schema/generate.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COPIED = ['src', 'cli', 'test', 'scripts', 'packages', 'bpf', 'docs', 'dist', 'Makefile', 'package.json'];
const COPY = mkdtempSync(join(tmpdir(), 'vmalocktop-changes-'));
after(() => rmSync(COPY, { recursive: true, force: true }));
for (const name of [...COPIED, 'tsconfig.json', 'tsconfig.base.json'])
  cpSync(join(ROOT, name), join(COPY, name), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
symlinkSync(join(ROOT, 'node_modules'), join(COPY, 'node_modules'));

function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: COPY, encoding: 'utf8', env });
  assert.equal(error, undefined);
  return { status, output: `${stdout}${stderr}` };
}

/** The files the compiler finds something wrong with, an error each. */
function wrong(): readonly string[] {
  const { status, output } = run(process.execPath, 'node_modules/typescript/bin/tsc', '-b', '--pretty', 'false');
  const files = [...output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map((match) => match[1] ?? '');
  // A compiler that could not work names no file either.
  assert.equal(status === 0, files.length === 0, `status ${status}\n${output}`);
  return files;
}

/** What `code` prints, in the copy as it was compiled last; `snapshot` is one of a retry so long that cgroups need not be named any more. */
function outputs(code: string): Record<string, unknown> {
  const { status, output } = run(
    process.execPath,
    '--input-type=module',
    '-e',
    `const { AVOIDABLE, inOrder, retry, snapshotOf } = await import('./dist/test/core/wire.js');
    const fault = retry({ fault: 1, tid: 200, from: 1000, to: 11e9, found: AVOIDABLE, folio: 3, mmWait: 500 });
    const snapshot = snapshotOf(inOrder(fault));
    const { statJson } = await import('./dist/cli/commands/stat/json.js');
    const { statText } = await import('./dist/cli/commands/stat/text.js');
    const { snapshotFamilies } = await import('./dist/src/metrics/families.js');
    const { metricsText } = await import('./dist/src/metrics/text.js');
    const stat = statJson(snapshot), text = statText(snapshot);
    const metrics = metricsText(snapshotFamilies(snapshot, 5), 'prometheus');
    ${code}`,
  );
  assert.equal(status, 0, output);
  return JSON.parse(output);
}

/** Edits of one change; taken back at its end. */
class Change {
  /** null: there was no such file. */
  readonly #before: Map<string, string | null> = new Map();

  /** Puts `text` before or behind `mark`, which stands once in `file`. */
  edit(file: string, mark: string, text: string, where: 'before' | 'behind' = 'before'): void {
    const was = readFileSync(join(COPY, file), 'utf8');
    assert.equal(was.split(mark).length, 2, `${file} has it once: ${mark}`);
    if (!this.#before.has(file)) this.#before.set(file, was);
    writeFileSync(
      join(COPY, file),
      was.replace(mark, () => (where === 'before' ? text + mark : mark + text)),
    );
  }

  write(file: string, text: string): void {
    const path = join(COPY, file);
    if (!this.#before.has(file)) this.#before.set(file, existsSync(path) ? readFileSync(path, 'utf8') : null);
    writeFileSync(path, text);
  }

  get files(): readonly string[] {
    return [...this.#before.keys()].sort();
  }

  undo(): void {
    for (const [file, text] of this.#before)
      if (text === null) rmSync(join(COPY, file));
      else writeFileSync(join(COPY, file), text);
  }
}

const CAUSES = 'src/core/vocabulary/causes.ts';
const WAITS = 'src/core/vocabulary/waits.ts';
const DECISION = 'src/core/lifecycle/causes.ts';
const ARCH = 'src/core/vocabulary/arch.ts';

test('a cause of a RETRY: its row and its decision, and a row in the document of workloads', () => {
  const change = new Change();
  change.edit(
    DECISION,
    '    case Innermost.PmdPrivate:\n',
    "    case Innermost.None:\n      return 'hugetlb: reserve empty';\n",
  );
  assert.deepEqual(wrong(), [DECISION], 'a decision for a cause that has no row');
  change.edit(
    CAUSES,
    "  '->fault needs mmap_lock': {",
    "  'hugetlb: reserve empty': {\n    id: 'hugetlb-reserve-empty',\n  },\n",
  );
  assert.deepEqual(wrong(), [CAUSES], 'a row that lacks what a row says');
  change.edit(
    CAUSES,
    "    id: 'hugetlb-reserve-empty',\n",
    "    sentence: 'hugetlb_fault found no huge page in reserve.',\n    hooks: ['hugetlb_fault'],\n    process: 'Reserve more huge pages.',\n    kernel: 'Nothing: there is no page.',\n    course: 'at once',\n",
    'behind',
  );
  assert.deepEqual(wrong(), []);
  const said = outputs(`
    const { causeLines } = await import('./dist/src/core/view/rows.js');
    console.log(JSON.stringify({
      json: 'hugetlb: reserve empty' in stat.retry.byCause,
      metric: metrics.includes('cause="hugetlb: reserve empty"'),
      dashboard: causeLines({ now: snapshot, before: null }).some(({ cause }) => cause === 'hugetlb: reserve empty'),
    }));`);
  assert.deepEqual(said, { json: true, metric: true, dashboard: true });
  const undocumented = run(process.execPath, '--test', 'dist/test/core/vocabulary.test.js');
  assert.notEqual(undocumented.status, 0);
  assert.match(undocumented.output, /hugetlb: reserve empty/);
  change.edit(
    'docs/causes.md',
    '| ->fault needs mmap_lock | `secret` |',
    '| hugetlb: reserve empty | `busy hugetlb` | how it is made | 7.3 | exact |\n',
  );
  const documented = run(process.execPath, '--test', 'dist/test/core/vocabulary.test.js');
  assert.equal(documented.status, 0, documented.output);
  assert.deepEqual(change.files, ['docs/causes.md', CAUSES, DECISION].sort());
  change.undo();
});

const clang = spawnSync('clang', ['--version']).status === 0;

test('a wait in another kernel function: its lines in two BPF files, and its row', {
  skip: clang ? false : 'clang is not installed',
}, () => {
  const change = new Change();
  const PROGRAMS = 'bpf/vmalocktop.bpf.c';
  change.edit('bpf/events.h', '	VL_WAIT_SWAPIN = 6,', '	VL_WAIT_CHARGE = 7,\n');
  change.edit(PROGRAMS, '#define ENTRY_ARGS_swapin_sync\n', '#define ENTRY_ARGS_mem_cgroup_charge\n');
  change.edit(
    PROGRAMS,
    'ENTRY(swapin_sync,',
    'ENTRY(mem_cgroup_charge, on_wait(VL_WAIT_ENTER, VL_WAIT_CHARGE))\nRETURN(mem_cgroup_charge, 3, on_wait(VL_WAIT_EXIT, VL_WAIT_CHARGE))\n',
  );
  const object = 'dist/bpf/vmalocktop.bpf.o';
  const made = run('make', object);
  assert.equal(made.status, 0, made.output);
  const GENERATED = 'src/schema/events.gen.ts';
  change.write(GENERATED, generate(Btf.fromElf(readFileSync(join(COPY, object)))));
  assert.match(readFileSync(join(COPY, GENERATED), 'utf8'), /CHARGE: 7/);
  assert.deepEqual(wrong(), [WAITS], 'programs report a wait that has no row');
  change.edit(
    WAITS,
    '  fileRead: {\n',
    `  charge: {
    title: 'memcg charge',
    now: 'waits for a memcg charge',
    of: 'fault',
    hooks: ['mem_cgroup_charge'],
    own: [{ target: 'mem_cgroup_charge', purpose: 'waits for a memcg charge, with the lock held' }],
    lock: 'kept',
    wire: 'CHARGE',
  },
`,
  );
  assert.deepEqual(wrong(), []);
  const said = outputs(`
    const { HOOKS } = await import('./dist/src/live/hooks.js');
    const { WAIT_MEASURES } = await import('./dist/src/core/alerts/wait-measures.js');
    const { waitTable } = await import('./dist/src/report/tables.js');
    console.log(JSON.stringify({
      hook: HOOKS.filter(({ target }) => target === 'mem_cgroup_charge').length,
      json: stat.waits.charge,
      stat: text.includes('memcg charge'),
      metric: metrics.includes('vmalocktop_wait_seconds_count{kind="charge"} 0'),
      rule: WAIT_MEASURES.some(({ id }) => id === 'charge_wait_p99_seconds'),
      report: waitTable(snapshot).text.includes('memcg charge'),
    }));`);
  // Of a recording made without the hook: null, not 0.
  assert.deepEqual(said, { hook: 1, json: null, stat: true, metric: true, rule: true, report: true });
  assert.deepEqual(change.files, ['bpf/events.h', PROGRAMS, GENERATED, WAITS].sort());
  change.undo();
});

test('a column in the list of processes: one row, and every output has it', () => {
  const change = new Change();
  const FIELDS = 'src/core/present/fields/work.ts';
  change.edit(
    FIELDS,
    "  figure('swap', 'swap',",
    `  figure('mean', 'mean fault', 'ns', 10, (r) => r.totalNs / r.lifecycles, 'meanNs', {
    name: 'fault_mean',
    help: 'mean length of its traced faults',
    type: 'gauge',
  }),
`,
  );
  assert.deepEqual(wrong(), []);
  const said = outputs(`
    const { LISTS } = await import('./dist/src/core/view/lists.js');
    const { exportCsv } = await import('./dist/src/core/view/export.js');
    const { processTable } = await import('./dist/src/report/tables.js');
    const rows = LISTS.processes({ now: snapshot, before: null, state: {} }, { terms: [] }, null);
    console.log(JSON.stringify({
      json: [stat.processes[0].meanNs, stat.cgroups[0].meanNs],
      stat: /processes, by retries\\n.* mean fault /.test(text),
      metrics: ['process', 'cgroup'].map((what) => metrics.includes('vmalocktop_' + what + '_fault_mean_seconds{')),
      report: processTable(snapshot).text.includes('mean fault'),
      dashboard: rows.draw(200, 0, 1, 0).head.some(({ field }) => field === 'mean'),
      csv: exportCsv(rows).split('\\r\\n')[0].split(',').includes('mean'),
    }));`);
  const mean = (said.json as string[])[0];
  assert.match(String(mean), /^\d+$/);
  assert.deepEqual(said, {
    json: [mean, mean],
    stat: true,
    metrics: [true, true],
    report: true,
    dashboard: true,
    csv: true,
  });
  assert.deepEqual(change.files, [FIELDS]);
  change.undo();
});

test('an export format: a file and a row, and the command line has it', () => {
  const change = new Change();
  const FORMATS = 'src/export/formats.ts';
  change.edit(
    FORMATS,
    '  perfetto: {',
    `  lines: {
    binary: false,
    make: async ({ output }: Wanted): Promise<Exporter> => (await import('./tables/lines.js')).linesExporter(output),
  },
`,
  );
  change.write(
    'src/export/tables/lines.ts',
    `// SPDX-License-Identifier: MIT
/** One line a lifecycle: its length, ns. */
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Output } from '../../output/output.js';
import type { Exporter } from '../base/exporter.js';

class Lines implements Exporter {
  rows = 0;
  readonly #output: Output;
  #lines = '';

  constructor(output: Output) {
    this.#output = output;
  }

  batch(): void {}

  lifecycle({ first, last }: Lifecycle): void {
    this.rows++;
    this.#lines += \`\${last - first}\\n\`;
  }

  async drain(): Promise<void> {
    await this.#output.write(Buffer.from(this.#lines));
    this.#lines = '';
  }

  finish(): Promise<void> {
    return this.drain();
  }
}

export function linesExporter(output: Output): Exporter {
  return new Lines(output);
}
`,
  );
  assert.deepEqual(wrong(), [FORMATS], 'a row that does not say what --table and --weight mean to it');
  change.edit(FORMATS, '    binary: false,\n    make: async ({ output }: Wanted)', '    of: null,\n');
  assert.deepEqual(wrong(), []);
  const main = (...args: string[]): string => {
    const { status, output } = run(process.execPath, 'dist/cli/main.js', ...args);
    assert.equal(status, 0, output);
    return output;
  };
  assert.match(main('export', '--help'), /"lines", *"perfetto"/);
  assert.match(main('completion', 'bash'), /\blines perfetto\b/);
  const lines = main('export', '-f', 'lines', '-o', '-', 'test/golden/mixed-7.3.vmlt').match(/^\d+$/gm);
  const stat = JSON.parse(main('stat', '--json', 'test/golden/mixed-7.3.vmlt'));
  assert.equal(lines?.length, stat.lifecycles.total);
  assert.deepEqual(change.files, [FORMATS, 'src/export/tables/lines.ts']);
  change.undo();
});

test('another architecture: clang and the table of layouts name what it lacks', {
  skip: clang ? false : 'clang is not installed',
}, () => {
  const change = new Change();
  const HEADER = 'bpf/arch.bpf.h';
  /** Where clang stops, compiling the programs for RISC-V; null where it does not. */
  const stops = (): string | null => {
    const flags = [
      '-g',
      '-O2',
      '-Wall',
      '-Werror',
      '-Wfatal-errors',
      '-target',
      'bpf',
      '-D__TARGET_ARCH_riscv',
      '-mcpu=v3',
    ];
    const { status, output } = run('clang', ...flags, '-c', 'bpf/vmalocktop.bpf.c', '-o', 'riscv.o');
    const file = /^(?:\S*\/)?(bpf\/\S+?):\d+:\d+: (?:fatal )?error/m.exec(output)?.[1] ?? null;
    assert.equal(status === 0, file === null, output);
    return file;
  };
  const pte = (): unknown =>
    JSON.parse(
      run(
        process.execPath,
        '--input-type=module',
        '-e',
        `const { layoutOf, pteKind } = await import('./dist/src/core/vocabulary/arch.js');
        console.log(JSON.stringify([layoutOf('riscv64') !== null, pteKind(1n << 7n, 'riscv64')]));`,
      ).output,
    );
  assert.equal(stops(), HEADER);
  change.edit(
    HEADER,
    '#else\n#error',
    `#elif defined(__TARGET_ARCH_riscv)
struct pt_regs {
	unsigned long a0, a1, a2, a7, status, orig_a0;
} __core;
#define REGS_ARG1(r) ((r)->a0)
#define REGS_ARG2(r) ((r)->a1)
#define REGS_ARG3(r) ((r)->a2)
#define REGS_RET(r) ((r)->a0)
#define SYSCALL_NR(r) ((r)->a7)
#define SYSCALL_FD(r) ((r)->orig_a0)
#define SYSCALL_READS(nr) ((nr) == 29 || ((nr) >= 63 && (nr) <= 65) || (nr) == 67 || (nr) == 69)
#define PAGE_MASK (~0xfffull)
static __attribute__((always_inline)) inline bool regs_user_mode(const struct pt_regs *regs)
{
	unsigned long status = 0x100;

	bpf_core_read(&status, sizeof status, &regs->status);
	return (status & 0x100) == 0;
}
`,
  );
  assert.equal(stops(), null);
  assert.deepEqual(pte(), [false, 'unknown'], 'without a layout, what a PTE says is not known');
  change.edit(ARCH, '  aarch64: {\n', '  riscv64: {\n    swapTypeShift: 7n,\n  },\n');
  assert.deepEqual(wrong(), [ARCH], 'a layout without the flags of a signal');
  change.edit(ARCH, '    swapTypeShift: 7n,\n', '    signalFlags: () => 1 << 2,\n', 'behind');
  assert.deepEqual(wrong(), []);
  assert.deepEqual(pte(), [true, 'swap']);
  assert.deepEqual(change.files, [HEADER, ARCH]);
  change.undo();
});

test('CONTRIBUTING.md shows each of the five', () => {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  for (const file of [
    CAUSES,
    WAITS,
    DECISION,
    'src/core/present/fields/work.ts',
    'src/export/formats.ts',
    'bpf/arch.bpf.h',
    ARCH,
  ]) {
    assert.ok(existsSync(join(ROOT, file)));
    assert.ok(text.includes(`\`${file}\``), file);
  }
});
