// SPDX-License-Identifier: MIT
/** The page as text: nothing outside itself, nothing of a name taken for HTML, every section, every loss. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from '../../cli/common/load.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { compare } from '../../src/core/diff/compare.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { escapeText, html } from '../../src/report/html.js';
import { reportPage } from '../../src/report/page.js';
import { summary } from '../../src/report/words.js';
import { run } from '../cli/run.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { runOf, workloadSession } from '../diff/workload.js';
import { GUEST_RECORDING, sourceOf } from '../export/support.js';

async function snapshotOf(
  batches: readonly EventBatch[],
  session: SessionInfo = syntheticSession(),
): Promise<Snapshot> {
  return (await load(sourceOf(batches, session))).snapshot;
}

const SECTIONS = ['summary', 'time', 'causes', 'waits', 'counterfactual', 'writers', 'processes', 'slowest', 'losses'];

test('the page needs nothing besides itself: no script, no link out, no source', async () => {
  const page = reportPage({ name: 'x.vmlt', snapshot: await snapshotOf(synthesize(2000, 3)), truncated: null });
  assert.ok(page.startsWith('<!doctype html>'));
  assert.doesNotMatch(page, /<script|<link|<img|<iframe|\bsrc=|https?:|@import|url\(/);
  for (const [, href] of page.matchAll(/href="([^"]*)"/g)) assert.match(href ?? '', /^#/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
  for (const id of SECTIONS) assert.equal(page.split(`id="${id}"`).length, 2, id);
  for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(page.includes(` id="${id}"`), id);
  const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('names are text, whatever they are', async () => {
  const hostile = '<script>alert("1")</script>&\u001b[2J';
  const session = syntheticSession({ host: hostile, kernel: `'"><b>`, commandLine: [hostile] });
  const page = reportPage({
    name: hostile,
    snapshot: await snapshotOf(synthesize(50, 3), session),
    truncated: hostile,
  });
  assert.doesNotMatch(page, /<script|<b>/);
  assert.ok(!page.includes('\u001b'));
  assert.ok(page.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;\ufffd[2J'));
  assert.equal(escapeText(`a<b>&"'\n`), 'a&lt;b&gt;&amp;&quot;&#39;\n');
  assert.equal(html`<i>${['<', html`<b>${1}</b>`, null]}</i>`.text, '<i>&lt;<b>1</b></i>');
});

test('the same recording makes the same page', async () => {
  const make = async (): Promise<string> =>
    reportPage({ name: 'x', snapshot: await snapshotOf(synthesize(500, 8)), truncated: null });
  assert.equal(await make(), await make());
});

test('an empty recording has a page, which says that there is nothing', async () => {
  const page = reportPage({ name: 'x', snapshot: await snapshotOf([]), truncated: 'cut off in its head' });
  for (const words of ['No page fault was counted.', 'No RETRY and no ABORT was followed.', 'cut off in its head']) {
    assert.ok(page.includes(words), words);
  }
  assert.doesNotMatch(page, /NaN|undefined|Infinity/);
});

test('no figure is NaN, undefined or infinite', async () => {
  for (const seed of [1, 2, 3]) {
    const snapshot = await snapshotOf(synthesize(1500, seed, { dropRate: 0.05, missRate: 0.02 }));
    assert.doesNotMatch(reportPage({ name: 'x', snapshot, truncated: null }), /NaN|undefined|Infinity/);
  }
});

test('the summary says what was counted: shares, the first cause, the longest wait, what is missing', async () => {
  const snapshot = await snapshotOf(runOf({ seconds: 6, rate: 200, swap: 'disk', folioNs: 3e6 }, 5), workloadSession());
  const text = summary(snapshot).join('\n');
  const { counts, retry, waits } = snapshot;
  assert.ok(text.includes(`${counts.faults.toLocaleString('en')} page faults in 6 s`), text);
  assert.match(text, /The most frequent cause of a RETRY was “folio locked: own read”: 100% of/);
  assert.ok(text.includes(`of ${retry.total.toLocaleString('en')}.`), text);
  assert.ok(text.includes(`in ${waits.folio.count.toLocaleString('en')}, half of them longer than`), text);
  assert.match(text, /Nothing was lost\./);
  const lossy = { ...snapshot, events: { ...snapshot.events, dropped: 1234 }, ended: false };
  assert.match(
    summary(lossy).join(' '),
    /1,234 events were dropped because the ring was full; the recording was cut off/,
  );
});

test('the counterfactual in words: exact, bounded, and not known', async () => {
  const snapshot = await snapshotOf(runOf({ seconds: 4, rate: 50, swap: 'disk', folioNs: 3e6 }, 5), workloadSession());
  const { all } = snapshot.counterfactual;
  const told = (basis: 'exact' | 'bound' | 'none'): string => {
    const verdicts = { ...all.verdicts, avoidable: 30, 'write-locked': 10, unknown: all.retries - 40 };
    const stall = { ...all.stall, exactNs: 2e6, boundNs: 5e6, basis };
    const changed = { ...all, verdicts, savedNs: 7e6, stall };
    return summary({ ...snapshot, counterfactual: { ...snapshot.counterfactual, all: changed } }).join(' ');
  };
  assert.match(
    told('exact'),
    /Of 40 retries that could be judged, 30 \(75\.0%\) were avoidable.* saved 7 ms .*writers would have stalled 2 ms/,
  );
  assert.match(told('bound'), /writers would have stalled at most 5 ms/);
  assert.match(told('none'), /how long writers would have stalled for it is not known/);
});

test('against an earlier recording: what differs comes with its figures and warnings', async () => {
  const of = (swap: 'zram' | 'disk', folioNs: number, seed: number): ReturnType<typeof load> =>
    load(sourceOf(runOf({ seconds: 10, rate: 150, swap, folioNs }, seed), workloadSession({ kernel: `6.12-${swap}` })));
  const before = await of('zram', 30_000, 1);
  const now = await of('disk', 3e6, 2);
  const against = { name: 'before.vmlt', diff: compare(before, now) };
  const page = reportPage({ name: 'now.vmlt', snapshot: now.snapshot, truncated: null, against });
  assert.match(page, /<h2 id="against">Against before\.vmlt<\/h2>/);
  assert.match(page, /kernels differ: A 6\.12-zram, B 6\.12-disk/);
  assert.match(
    page,
    /figures differ by more than noise, first of all “folio lock wait: time”\. Two runs of one workload may differ/,
  );
  assert.match(page, /<td class="n">[\d.]+%, [\d.]+\/s<\/td>/);
});

test('the command writes the page of a recording made in a guest, with one against it', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'vmalocktop-report-'));
  try {
    const out = join(dir, 'report.html');
    const { code, stdout, stderr } = await run(['report', GUEST_RECORDING, '--against', GUEST_RECORDING, '-o', out]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '');
    const page = await readFile(out, 'utf8');
    assert.match(page, /3,043/);
    assert.match(page, /Nothing differs by more than noise/);
    assert.ok(page.length < 1_000_000);
    const refused = await run(['report', join(dir, 'absent.vmlt'), '-o', join(dir, 'never.html')]);
    assert.equal(refused.code, 2);
    await assert.rejects(readFile(join(dir, 'never.html')));
  } finally {
    await rm(dir, { recursive: true });
  }
});
