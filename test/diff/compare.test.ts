// SPDX-License-Identifier: MIT
/** 19 of 20 comparisons of like with like name nothing; real differences are named, the most costly first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from '../../cli/common/load.js';
import { compare, type Diff, type Recorded } from '../../src/core/diff/compare.js';
import { diffJson } from '../../src/core/diff/json.js';
import { diffText } from '../../src/core/diff/text.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { sourceOf } from '../export/support.js';
import { runOf, type Workload, workloadSession } from './workload.js';

const DISK: Workload = { seconds: 12, rate: 150, swap: 'disk', folioNs: 3e6 };
const ZRAM: Workload = { ...DISK, swap: 'zram', folioNs: 30_000 };

function recorded(workload: Workload, seed: number, session: SessionInfo = workloadSession()): Promise<Recorded> {
  return load(sourceOf(runOf(workload, seed), session));
}

async function differ(a: Workload, b: Workload, seed: number): Promise<Diff> {
  return compare(await recorded(a, seed), await recorded(b, seed + 10_000));
}

test('two runs of one workload: nothing differs in at least 19 of 20 pairs, bursty or not', async () => {
  for (const memory of [0, 0.5]) {
    let named = 0;
    for (let pair = 0; pair < 20; pair++) {
      const { findings, method } = await differ({ ...DISK, memory }, { ...DISK, memory }, 1 + pair);
      assert.ok(method.slices > 0 && method.figures > 10);
      if (findings.length > 0) named++;
    }
    assert.ok(named <= 1, `${named} of 20 pairs with memory ${memory}`);
  }
});

test('zram against a slow disk: the wait for folios is named first', async () => {
  const { findings, rows } = await differ(ZRAM, DISK, 3);
  assert.equal(findings[0]?.id, 'wait-ns/folio');
  const row = (id: string): Diff['rows'][number] => rows.find((it) => it.id === id) ?? assert.fail(id);
  assert.equal(row('outcome/retry').verdict, 'differs');
  assert.equal(row('wait-ns/syncRead').verdict, 'differs');
  assert.equal(row('percentile/mmapLock/0.5').verdict === 'differs', false);
  assert.ok(findings.every(({ p }) => p !== null && p < 0.05));
  // All of one kind of wait together, and kinds by time: a number of waits never comes before what costs more.
  const kinds = findings
    .filter(({ group }) => group === 'wait' || group === 'percentile')
    .map(({ id }) => id.split('/')[1] ?? '');
  assert.deepEqual(
    kinds.filter((kind, i) => kind !== kinds[i - 1]),
    [...new Set(kinds)],
  );
  const time = (kind: string): number => {
    const { a, b } = row(`wait-ns/${kind}`);
    return Math.abs((a?.perFault ?? 0) - (b?.perFault ?? 0));
  };
  assert.deepEqual(
    [...new Set(kinds)],
    [...new Set(kinds)].sort((x, y) => time(y) - time(x)),
  );
  assert.ok(kinds.length > 3);
});

test('a disk twice as slow: the wait is found, and what it has nothing to do with is not', async () => {
  let found = 0;
  for (let pair = 0; pair < 10; pair++) {
    const { findings } = await differ(DISK, { ...DISK, folioNs: 6e6 }, 50 + pair);
    const ids = findings.map(({ id }) => id);
    if (ids.includes('wait-ns/folio') && ids.includes('percentile/folio/0.5')) found++;
    assert.ok(!ids.includes('outcome/retry') && !ids.includes('wait-ns/mmapLock'), ids.join(', '));
  }
  assert.ok(found >= 9, `${found} of 10`);
});

test('the same recording twice: no figure changes, none differs', async () => {
  const a = await recorded(DISK, 7);
  const { rows, findings, warnings } = compare(a, a);
  assert.deepEqual(findings, []);
  assert.deepEqual(warnings, []);
  for (const { change, p } of rows) assert.ok(change === 0 && (p === null || p === 1));
});

test('figures are the totals of the recording, per fault and per second', async () => {
  const a = await recorded(DISK, 9);
  const { rows } = compare(a, await recorded(ZRAM, 9));
  const { snapshot } = a;
  const of = (id: string): NonNullable<Diff['rows'][number]['a']> =>
    rows.find((row) => row.id === id)?.a ?? assert.fail(id);
  assert.ok(Math.abs(of('outcome/retry').value - snapshot.counts.vmaLock.retry) < 1e-6);
  assert.equal(of('wait/folio').value, snapshot.waits.folio.count);
  assert.ok(Math.abs(of('wait-ns/folio').value - snapshot.waits.folio.sumNs) < 1);
  const perFault = snapshot.waits.folio.sumNs / snapshot.counts.faults;
  assert.ok(Math.abs((of('wait-ns/folio').perFault ?? 0) - perFault) < 1e-6 * perFault);
  assert.ok(Math.abs((of('wait/folio').perSecond ?? 0) - snapshot.waits.folio.count / 12) < 1e-6);
  // Percentiles are from coarser buckets than those of the snapshot: 1.1 % and 0.4 %.
  const p50 = of('percentile/folio/0.5').value;
  assert.ok(Math.abs(p50 / snapshot.waits.folio.p50Ns - 1) < 0.016, `${p50} ${snapshot.waits.folio.p50Ns}`);
  const processes = rows.filter(({ id }) => id.startsWith('process/retries/'));
  assert.deepEqual(processes.map(({ title }) => title).sort(), ['db: retries', 'web: retries']);
  assert.equal(
    processes.reduce((sum, row) => sum + (row.a?.value ?? 0), 0),
    snapshot.retry.total,
  );
});

test('what one side had no hook for is not observed there, and not tested', async () => {
  const blind = workloadSession({
    hooks: workloadSession().hooks.map((hook) =>
      hook.target === 'swapin_sync' ? { ...hook, attached: false, note: 'not in this kernel' } : hook,
    ),
  });
  const result = compare(await recorded(ZRAM, 4), await recorded(ZRAM, 5, blind));
  const row = result.rows.find(({ id }) => id === 'wait-ns/syncRead');
  assert.equal(row?.b, null);
  assert.equal(row?.verdict, 'not tested');
  assert.ok(result.warnings.includes('hooked in A only: swapin_sync'), result.warnings.join('; '));
  assert.match(diffText(result, ['a', 'b']), /synchronous swap read wait: time +\S+ µs\/fault +not observed/);
});

test('kernels, scopes and filters that differ are warned of; so are losses and lengths', async () => {
  const other = workloadSession({ kernel: '7.3.0', scope: 'all', filters: { comm: 'db' }, preemption: 'lazy' });
  const short = { ...DISK, seconds: 5 };
  const a = await recorded({ ...DISK, seconds: 16 }, 4);
  const b = await recorded(short, 5, other);
  const { events } = b.snapshot;
  const lossy: Recorded = {
    ...b,
    truncated: 'the recorder was stopped',
    snapshot: { ...b.snapshot, events: { ...events, emitted: 1000, dropped: 20, missed: 500 } },
  };
  assert.deepEqual(compare(a, lossy).warnings, [
    'kernels differ: A 6.12.0-synthetic, B 7.3.0',
    'preemption models differ: A voluntary, B lazy',
    'scopes differ: A swap, B all',
    'filters differ: A {}, B {"comm":"db"}',
    'B was cut off: the recorder was stopped',
    'B dropped 2.0% of its events: the ring was full',
    'B missed 500 program runs',
    'one recording is more than three times as long as the other',
  ]);
});

test('a slower machine is warned of, and times must differ by more than it was slower', async () => {
  const slower = { ...DISK, slowness: 1.5 };
  const { warnings, findings, method, rows } = await differ(DISK, slower, 5);
  assert.ok(Math.abs((method.pace ?? 0) - 1.5) < 0.03, String(method.pace));
  assert.ok(
    warnings.some((warning) => /^the machine was 1\.5 times as slow in B/.test(warning)),
    warnings.join('; '),
  );
  assert.deepEqual(
    findings.map(({ id }) => id),
    [],
  );
  // It is seen, though, and would differ on an equal machine.
  const folio = rows.find(({ id }) => id === 'percentile/folio/0.5');
  assert.ok((folio?.change ?? 0) > 0.3 && (folio?.p ?? 1) < 0.05, JSON.stringify(folio));
  const much = await differ(DISK, { ...slower, folioNs: 24e6 }, 5);
  assert.equal(much.findings[0]?.id, 'wait-ns/folio');
});

test('recordings too short to tell a difference from noise are compared and not tested', async () => {
  const result = await differ({ ...ZRAM, seconds: 2 }, { ...DISK, seconds: 2 }, 1);
  assert.equal(result.method.slices, 0);
  assert.match(result.method.notTested, /shorter than 3 s/);
  assert.deepEqual(result.findings, []);
  assert.ok(result.rows.every(({ verdict, p }) => verdict === 'not tested' && p === null));
  assert.match(diffText(result, ['a', 'b']), /Not tested: a recording is shorter than 3 s/);
});

test('text: findings first, each figure with both sides, names made harmless', async () => {
  const result = await differ(ZRAM, DISK, 3);
  const text = diffText(result, ['zram.vmlt', 'disk\u001b[2J.vmlt']);
  assert.ok(!text.includes('\u001b'));
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(' What differs'));
  assert.match(
    lines[first + 1] ?? '',
    /^ \* folio lock wait: time .*\S+ [nµ]s\/fault +\S+ ms\/fault +×\S+k +p = 0\.00\d$/,
  );
  assert.match(text, /mmap_lock wait: p50/);
  assert.ok(lines.every((line) => line.length <= 120));
});

test('JSON: parses, versioned, sums as strings, no number lost', async () => {
  const result = await differ(ZRAM, DISK, 3);
  const document = JSON.parse(JSON.stringify(diffJson(result))) as {
    v: number;
    findings: string[];
    method: { alpha: number; slices: number };
    rows: { id: string; a: { ns?: unknown; nsPerFault?: unknown } | null; change: number | null }[];
  };
  assert.equal(document.v, 1);
  assert.equal(document.findings[0], 'wait-ns/folio');
  assert.equal(document.rows.length, result.rows.length);
  const folio = document.rows.find(({ id }) => id === 'wait-ns/folio');
  assert.match(String(folio?.a?.ns), /^\d+$/);
  assert.equal(typeof folio?.a?.ns, 'string');
  assert.equal(typeof folio?.a?.nsPerFault, 'number');
});
