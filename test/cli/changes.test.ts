// SPDX-License-Identifier: MIT
/**
 * Three changes that come again and again, made on a copy of the tree: how many files each touches, what the compiler
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

/** The files the compiler finds something wrong with. */
function wrong(): readonly string[] {
  const { output } = run(process.execPath, 'node_modules/typescript/bin/tsc', '-b', '--pretty', 'false');
  return [...new Set([...output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map((match) => match[1] ?? ''))];
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
  readonly #before: Map<string, string> = new Map();

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
    if (!this.#before.has(file)) this.#before.set(file, readFileSync(join(COPY, file), 'utf8'));
    writeFileSync(join(COPY, file), text);
  }

  get files(): readonly string[] {
    return [...this.#before.keys()].sort();
  }

  undo(): void {
    for (const [file, text] of this.#before) writeFileSync(join(COPY, file), text);
  }
}

const CAUSES = 'src/core/vocabulary/causes.ts';
const WAITS = 'src/core/vocabulary/waits.ts';
const DECISION = 'src/core/lifecycle/causes.ts';

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

const clang = spawnSync('clang', ['--version']).error === undefined;

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

test('CONTRIBUTING.md shows each of the five', () => {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
  for (const file of [CAUSES, WAITS, DECISION, 'src/core/present/fields/work.ts', 'src/export/run.ts']) {
    assert.ok(existsSync(join(ROOT, file)));
    assert.ok(text.includes(`\`${file}\``), file);
  }
});
