// SPDX-License-Identifier: MIT
/** What `make policy-check` makes of a prediction and of measured runs: shares, errors, and which of them cannot be told apart from noise. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Row, rowsOf, type Truth, tableOf } from '../../scripts/policy-figures.js';
import { netOf } from '../../src/core/verdict/conclusions.js';
import type { VerdictReport, VerdictRow } from '../../src/core/verdict/report.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** `make build` made it; it says what it made of the recording that comes with the project. */
const { stdout } = await promisify(execFile)(
  process.execPath,
  ['dist/cli/main.js', 'verdict', '--json', 'test/golden/mixed-7.3.vmlt'],
  { cwd: ROOT, maxBuffer: 2 ** 26 },
);
const said = (JSON.parse(stdout) as VerdictReport).byProcess[0] as VerdictRow;
/** With the saving at its upper end, and nothing lost: one figure where the recording leaves an interval. */
const sure = {
  ...said.under.keep,
  saved: { least: said.under.keep.saved.most, most: said.under.keep.saved.most },
  lost: null,
};
const verdict: VerdictRow = { ...said, under: { ...said.under, keep: sure } };
const { lo, hi } = netOf(verdict.under.keep);
/** What the same faults took, so that keep saves a third of it. */
const TOOK = 3 * hi;

const truth = (touchNs: number, writes = 0, writeNs = 0): Truth => ({ pid: 1, touches: 100, touchNs, writes, writeNs });
const runs = (touchNs: number, spread: number, writes = 0, writeNs = 0): readonly Truth[] =>
  [1 - spread, 1 + spread].map((factor) => truth(touchNs * factor, writes, writeNs));

function keep(share: number, spread: number, of: VerdictRow | null = verdict): Row {
  const rows = rowsOf({
    name: 'one',
    predicted: [{ truth: truth(TOOK, 10), verdict: of }],
    measured: {
      today: runs(TOOK, spread, 10, 1000),
      retry: runs(TOOK, spread, 10, 1000),
      keep: runs(TOOK * (1 - share), spread, 20, 6000),
    },
  });
  return rows.find(({ policy }) => policy === 'keep') as Row;
}

test('a share of what touches took, its error as a share of what was measured, and what runs differ by', () => {
  const row = keep(0.4, 0.05);
  assert.equal(row.least.toFixed(6), (lo / TOOK).toFixed(6));
  assert.equal(row.most.toFixed(6), (1 / 3).toFixed(6));
  assert.equal(row.measured.toFixed(6), '0.400000');
  assert.equal(row.error?.toFixed(6), (1 - 1 / 3 / 0.4).toFixed(6));
  assert.equal(row.repeats.toFixed(6), '0.050000');
  // 6000 ns over 20 calls where it was 1000 over 10.
  assert.deepEqual([row.stall?.measured, row.stall?.today], [200, 100]);
  assert.equal(row.stall?.predicted, (verdict.under.keep.stalls?.sumNs ?? 0) / 10);
});

test('what it says: within a quarter, beyond it, the other way, and what cannot be told', () => {
  assert.equal(keep(0.4, 0.05).says, 'agrees');
  assert.equal(keep(0.7, 0.05).says, 'size');
  assert.equal(keep(0.7, 0.4).says, 'within what repeats');
  assert.equal(keep(-0.3, 0.05).says, 'direction');
  assert.equal(keep(0, 0.05).says, 'direction');
  assert.equal(keep(0.05, 0.05, null).says, 'no difference either way');
  assert.equal(keep(0.05, 0.05, null).error, null);
  assert.equal(keep(0.5, 0.05, null).says, 'direction');
});

test('what faults may lose behind stalled writers is part of the prediction, and a wide one is called so', () => {
  const { keep: of, retry } = verdict.under;
  assert.ok(said.under.keep.lost !== null);
  const losing = { ...said.under.keep.lost.most, sumNs: 0.4 * TOOK };
  const row = (least: typeof losing): VerdictRow => ({
    ...verdict,
    under: { retry, keep: { ...of, lost: { least, most: losing } } },
  });
  // As where the VMAs of writers are not seen: from a saving of a third to a loss.
  const wide = row({ ...losing, sumNs: 0 });
  assert.ok(keep(-0.05, 0.01, wide).least < 0);
  assert.equal(keep(-0.05, 0.01, wide).says, 'within the interval');
  assert.equal(keep(-0.3, 0.01, wide).says, 'direction');
  // As where they are.
  assert.equal(keep(-0.3, 0.01, row(losing)).says, 'direction');
  assert.equal(keep(0, 0.01, row(losing)).says, 'no difference either way');
});

test('the table: a row for each policy, an interval where the prediction is one', () => {
  const table = tableOf([keep(0.4, 0.05), { ...keep(0.4, 0.05), least: 0.1 }]).split('\n');
  assert.equal(table.length, 4);
  assert.match(
    table[2] ?? '',
    /^\| one \| keep \| 3[23]\.\d %( to 33\.3 %)? \| 40\.0 % \| 16\.7 % \| 5\.0 % \| agrees \|/,
  );
  assert.match(table[3] ?? '', /\| 10\.0 % to 33\.3 % \|/);
});
