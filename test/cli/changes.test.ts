// SPDX-License-Identifier: MIT
/**
 * Changes that come again and again, made on a copy of the tree: how many files each touches, what the compiler names while
 * it is half done, and that every output follows. CONTRIBUTING.md shows them as worked examples. The other two of the five
 * are in changes-outward.test.ts.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Btf } from 'ebpf-ts';
import { generate } from '../../src/schema/generate.js';
import { longOnly } from '../long.js';
import { Change, inCopy, outputs, ROOT, run, wrong } from './copied-tree.js';

const CAUSES = 'src/core/vocabulary/causes.ts';
const WAITS = 'src/core/vocabulary/waits.ts';
const DECISION = 'src/core/lifecycle/causes.ts';

test('a cause of a RETRY: its row and its decision, and a row in the document of workloads', { skip: longOnly }, () => {
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
  skip: longOnly || (clang ? false : 'clang is not installed'),
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
  change.write(GENERATED, generate(Btf.fromElf(readFileSync(inCopy(object)))));
  assert.match(readFileSync(inCopy(GENERATED), 'utf8'), /CHARGE: 7/);
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

test('a column in the list of processes: one row, and every output has it', { skip: longOnly }, () => {
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
  for (const file of [
    CAUSES,
    WAITS,
    DECISION,
    'src/core/present/fields/work.ts',
    'src/export/formats.ts',
    'bpf/arch.bpf.h',
    'src/core/vocabulary/arch.ts',
  ]) {
    assert.ok(existsSync(join(ROOT, file)));
    assert.ok(text.includes(`\`${file}\``), file);
  }
});
