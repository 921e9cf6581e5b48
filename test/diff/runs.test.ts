// SPDX-License-Identifier: MIT
/** Several runs a side: what differs between whole runs, though in no slice of any, is not taken for a difference between the sides. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { load } from '../../cli/common/load.js';
import { compare, type Recorded } from '../../src/core/diff/compare.js';
import { diffJson } from '../../src/core/diff/json.js';
import { diffText } from '../../src/core/diff/text.js';
import { Random } from '../core/random.js';
import { sourceOf } from '../export/support.js';
import { runOf, type Workload, workloadSession } from './workload.js';

const DISK: Workload = { seconds: 6, rate: 150, swap: 'disk', folioNs: 3e6 };
/** Medians of like runs, as multiples: each run has one of these all its time. */
const MOODS = [0.55, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.4, 1.8, 2.2];

const recorded = (workload: Workload, seed: number): Promise<Recorded> =>
  load(sourceOf(runOf(workload, seed), workloadSession()));

/** Runs of one workload over a disk, each in a mood of its own; and over zram. */
const disk: Recorded[] = [];
const zram: Recorded[] = [];
before(async () => {
  for (let i = 0; i < 20; i++)
    disk.push(await recorded({ ...DISK, folioNs: DISK.folioNs * (MOODS[i % MOODS.length] ?? 1) }, 500 + i));
  for (let i = 0; i < 5; i++) zram.push(await recorded({ ...DISK, swap: 'zram', folioNs: 30_000 }, 700 + i));
});

test('five runs against five of the same: nothing differs in 19 of 20, though single pairs of them do', () => {
  let runs = 0;
  let pairs = 0;
  for (let i = 0; i < 20; i++) {
    const ten = new Random(40 + i).draw(disk, 10);
    const { findings, method } = compare(ten.slice(0, 5), ten.slice(5));
    assert.equal(method.unit, 'run');
    assert.equal(method.slices, 5);
    assert.ok(method.figures > 10);
    if (findings.length > 0) runs++;
    const [one, other] = [ten[0] as Recorded, ten[9] as Recorded];
    if (compare(one, other).findings.length > 0) pairs++;
  }
  assert.ok(runs <= 1, `${runs} of 20 sets of runs`);
  assert.ok(pairs >= 6, `${pairs} of 20 pairs: these runs differ as slices of one do`);
});

test('five runs over zram against five over a slow disk: the wait for folios is named first', () => {
  const { findings, warnings } = compare(zram, disk.slice(0, 5));
  assert.equal(findings[0]?.id, 'wait-ns/folio');
  assert.deepEqual(warnings, []);
});

test('sums of a side are those of its runs, and text and JSON say what was dealt out', () => {
  const [a, b] = [disk.slice(0, 5), disk.slice(5, 11)];
  const diff = compare(a, b);
  assert.equal(diff.a.runs, 5);
  assert.equal(diff.b.runs, 6);
  assert.equal(
    diff.a.durationNs,
    a.reduce((sum, { snapshot }) => sum + snapshot.durationNs, 0),
  );
  assert.equal(
    diff.b.events.decoded,
    b.reduce((sum, { snapshot }) => sum + snapshot.events.decoded, 0),
  );
  const faults = a.reduce((sum, { snapshot }) => sum + snapshot.counts.faults, 0);
  assert.equal(diff.a.faults, faults);
  const text = diffText(diff, ['before.vmlt', 'after.vmlt']);
  assert.match(text, /before\.vmlt and 4 more runs: /);
  assert.match(text, /after\.vmlt and 5 more runs: /);
  assert.match(text, /figures tested together over 5 runs a side/);
  const json = JSON.parse(JSON.stringify(diffJson(diff))) as {
    method: { unit: string; test: string };
    b: { runs: number };
  };
  assert.equal(json.method.unit, 'run');
  assert.match(json.method.test, /of runs/);
  assert.equal(json.b.runs, 6);
});

test('too few runs, or too many, are not tested, and it is said', () => {
  for (const [a, b, why] of [
    [4, 6, /4 and 6 runs: with fewer than 5 a side/],
    [1, 5, /1 and 5 runs/],
    [9, 5, /more than 8 runs a side/],
  ] as const) {
    const { method, findings, rows } = compare(disk.slice(0, a), disk.slice(10, 10 + b));
    assert.match(method.notTested, why);
    assert.deepEqual(findings, []);
    assert.ok(rows.length > 10 && rows.every(({ verdict }) => verdict === 'not tested'));
  }
  assert.throws(() => compare([], disk), RangeError);
});

test('a run that was recorded differently is named', async () => {
  const other = await load(sourceOf(runOf(DISK, 900), workloadSession({ kernel: '6.99.0-other', hooks: [] })));
  const { warnings } = compare([...disk.slice(0, 4), other], disk.slice(5, 10));
  assert.ok(
    warnings.includes('kernels differ: run 1 of A 6.12.0-synthetic, run 5 of A 6.99.0-other'),
    warnings.join('\n'),
  );
  assert.ok(warnings.some((warning) => warning.startsWith('hooked in run 1 of A only: ')));
});
