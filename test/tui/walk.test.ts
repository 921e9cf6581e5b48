// SPDX-License-Identifier: MIT
/** `x`, Enter, `/`, `t` and `i` in each of the nine views over a recording; and the keys that htop has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LISTS_OF, type ListId, VIEWS, type ViewId } from '../../src/core/view/state.js';
import { longOnly } from '../long.js';
import { CSV_KEY, DOWN, END, F1, F2, F3, F4, F5, F6, F10 } from './key-names.js';
import type { Harness } from './terminal.js';
import { counts, live, opened, type Walk } from './walked.js';

/** Lists that have something at the opening of this recording. */
const FILLED: readonly ListId[] = [
  'processes',
  'vmas',
  'causes',
  'waits',
  'writers',
  'latest',
  'slowest',
  'inFlight',
  'hooks',
  'programs',
];

/** What Enter on the first row of a list leads to. */
const OPENS: Readonly<Record<ListId, RegExp>> = {
  processes: /filter {2}pid:183/,
  vmas: /filter {2}pid:183 vma:7f1eb8/,
  causes: /╔═ One fault/,
  waits: /╔═ What it is/,
  blockers: /filter {2}pid:\d+/,
  lockNow: /filter {2}pid:|╔═ What it is/,
  writers: /filter {2}pid:\d+/,
  latest: /╔═ One fault/,
  slowest: /╔═ One fault/,
  inFlight: /╔═ One fault/,
  alerts: /filter|╔═ What it is/,
  hooks: /╔═ What it is/,
  programs: /╔═ What it is/,
};

const IN_TREE: ReadonlySet<ListId> = new Set([
  'processes',
  'vmas',
  'blockers',
  'lockNow',
  'writers',
  'latest',
  'slowest',
  'inFlight',
]);

async function walk({ h, saved }: Walk, view: ViewId, key: string): Promise<void> {
  for (const [i, list] of LISTS_OF[view].entries()) {
    const home = async (): Promise<void> => {
      await h.type('\x1b', '\x1b', key, ...Array.from({ length: i }, () => 'l'));
      assert.equal(h.dashboard.state.focus[view], list);
    };
    const { length } = LISTS_OF[view];
    const back = async (): Promise<void> => h.type(...Array.from({ length: (length - i) % length }, () => 'l'));
    await home();
    const rows = h.dashboard.view.rows?.count ?? 0;
    if (FILLED.includes(list)) assert.ok(rows > 0, list);

    await h.type('x', 'j');
    const json = saved.pop();
    assert.equal(json?.list, list);
    const document = JSON.parse(json?.text ?? '') as { list: string; rows: readonly unknown[] };
    assert.equal(document.list, list);
    assert.equal(document.rows.length, rows, `${list}: all rows are exported`);
    await h.type('x', CSV_KEY);
    assert.equal((saved.pop()?.text ?? '').split('\r\n').length, rows + 2, `${list}: a head, the rows, the end`);

    await h.type('i');
    assert.match(h.text(), /╔═ What it is/, list);
    assert.match(h.text(), /lines/, list);
    for (const { title } of h.dashboard.view.rows?.cells(0) ?? []) {
      assert.ok(shownIn(h, title.trim()), `${list}: ${title} is explained`);
    }
    await h.type(END);
    assert.match(h.text(), /own share/, `${list}: the glossary is at the end`);
    await h.type('i');
    assert.doesNotMatch(h.text(), /╔═ What it is/, list);

    const plain = h.text();
    await h.type('t');
    if (IN_TREE.has(list)) {
      assert.equal(h.dashboard.state.tree, true, list);
      if (rows > 0) assert.match(h.text(), /[▸▾] (?:\/|cgroup)/, `${list}: a group`);
      assert.equal((h.dashboard.view.rows?.count ?? 0) - (h.dashboard.view.rows?.groups ?? 0), rows);
      await h.type('t');
      assert.equal(h.text(), plain, list);
    } else {
      assert.match(h.text(), /no containers to group by/, list);
    }

    await h.type('/', ...'pid:183');
    assert.match(h.text(), /pid:183▏/);
    const left = h.dashboard.view.rows?.count ?? 0;
    assert.ok(left <= Math.max(rows, 500), list);
    await h.type('\r');
    assert.match(h.text(), /filter {2}pid:183|faults up to here/, list);
    await h.type('\x1b');
    assert.equal(h.dashboard.view.rows?.count, rows, `${list}: Esc drops the filter`);

    if (rows > 0) {
      await h.type('\r');
      const seen = `${h.text()} filter  ${h.dashboard.state.filter}`;
      assert.match(seen, OPENS[list], list);
      if (h.dashboard.state.filter !== '') {
        assert.equal(h.dashboard.state.view, 'lifecycles', list);
        const { latest = 0, slowest = 0 } = counts(h);
        assert.ok(latest + slowest > 0, `${list}: drill-down is not empty`);
      }
      await h.type('\x1b', '\x1b', key);
    }
    await back();
  }
}

/** Whether the info box says it somewhere: its lines are gone through. */
function shownIn(h: Harness, text: string): boolean {
  const { dashboard } = h;
  const tall = dashboard.viewOf({ ...dashboard.state, height: 400 });
  return tall.lines.some((line) =>
    line
      .map((segment) => segment.text)
      .join('')
      .includes(text),
  );
}

for (const [columns, rows] of [
  [80, 24],
  [160, 45],
] as const) {
  test(`keys in every view over a recording, ${columns}×${rows}`, {
    skip: columns === 80 ? false : longOnly,
  }, async (t) => {
    const walked = await opened(t, columns, rows);
    for (const [i, view] of VIEWS.entries()) await walk(walked, view, String(i + 1));
  });
}

for (const [columns, rows] of [
  [80, 24],
  [160, 45],
] as const) {
  test(`keys in every view over live data, ${columns}×${rows}`, {
    skip: columns === 160 ? false : longOnly,
  }, async (t) => {
    const { h } = await opened(t, columns, rows);
    const walked = await live(t, columns, rows, h.dashboard.snapshot?.time ?? 0);
    for (const [i, view] of VIEWS.entries()) await walk(walked, view, String(i + 1));
  });
}

test('keys in the view of writers over a recording with blockers', async (t) => {
  const walked = await opened(
    t,
    160,
    45,
    fileURLToPath(new URL('../../../test/golden/blocked-6.12.vmlt', import.meta.url)),
  );
  await walked.h.type('6');
  assert.ok((walked.h.dashboard.view.rows?.count ?? 0) > 0);
  await walk(walked, 'writers', '6');
});

test('the keys of htop: help, words, search, filter, tree, sort, quit', async (t) => {
  const { h } = await opened(t, 80, 24);
  await h.type(F1);
  assert.match(h.text(), /╔═ Keys/);
  await h.type(F2);
  assert.match(h.text(), /╔═ What it is/);
  await h.type('\x1b', '2', F3, ...'mixed');
  assert.match(h.text(), /search {2}mixed▏/);
  const selected = (): string => h.lines().find((line) => line.includes('▸')) ?? '';
  assert.match(selected(), / 183 mixed/);
  await h.type(F3);
  assert.match(selected(), / 192 mixed/);
  await h.type('\r', DOWN);
  assert.match(selected(), / 196 mixed/);
  await h.type(F4, ...'pid:196', '\r');
  assert.equal(h.dashboard.view.rows?.count, 1);
  await h.type('\x1b', F5);
  assert.match(h.text(), /▸ \/workload {2}11 rows {2}retries 325/);
  await h.type(F5, F6);
  assert.doesNotMatch(h.text(), /retries▼/);
  await h.type(F10);
  assert.deepEqual(h.quits, [null]);
});

test('Enter reads a recording again for all faults of a process, up to where it stands', async (t) => {
  const { h } = await opened(t, 160, 45);
  await h.type('2');
  const traced = h.dashboard.snapshot?.processes[0]?.lifecycles ?? 0;
  const flying = h.dashboard.snapshot?.processes[0]?.inFlight ?? 0;
  assert.ok(traced - flying > 192, 'more than a session keeps');
  await h.type('\r');
  await h.until(/faults up to here/);
  await h.settle();
  assert.equal(counts(h).latest, traced - flying);
  // Another filter has nothing of it.
  await h.type('\x1b', '2', DOWN, '\r');
  await h.until(/faults up to here/);
  assert.equal(counts(h).latest, 9);
});
