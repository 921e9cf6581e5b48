// SPDX-License-Identifier: MIT
/** Enter never leads to an empty list: for every process, VMA and cause that a list shows, some faults are kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { faultBits, faultFlagWords, faultResultWords } from '../../src/core/events/fault-bits.js';
import { parseFilter } from '../../src/core/view/filter.js';
import type { Figures } from '../../src/core/view/list.js';
import { LISTS } from '../../src/core/view/lists.js';
import { initialState } from '../../src/core/view/state.js';
import { openFile } from '../../src/recording/read/file.js';

async function snapshotOf(name: string): Promise<Snapshot> {
  const source = await openFile(fileURLToPath(new URL(`../../../test/golden/${name}.vmlt`, import.meta.url)));
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  await source.close();
  return pipeline.snapshot();
}

/** What the lists of the lifecycles view show under a filter. */
function shown(
  now: Snapshot,
  filter: string,
): { readonly latest: number; readonly slowest: number; readonly inFlight: number } {
  const figures: Figures = { now, before: null, state: { ...initialState(120, 40, 'replay', 1000), filter } };
  const count = (id: 'latest' | 'slowest' | 'inFlight'): number => LISTS[id](figures, parseFilter(filter), null).count;
  return { latest: count('latest'), slowest: count('slowest'), inFlight: count('inFlight') };
}

for (const name of ['mixed-7.3', 'swap-7.3', 'blocked-6.12']) {
  test(`${name}: Enter on any process or VMA that was followed leads to faults of it`, async () => {
    const now = await snapshotOf(name);
    const figures: Figures = { now, before: null, state: initialState(120, 40, 'replay', 1000) };
    let onlyKept = 0;
    for (const id of ['processes', 'vmas'] as const) {
      const rows = LISTS[id](figures, parseFilter(''), null);
      assert.ok(rows.count > 0 || id === 'vmas');
      for (let at = 0; at < rows.count; at++) {
        const opening = rows.open(at);
        assert.equal(opening?.kind, 'filter');
        const filter = opening?.kind === 'filter' ? opening.filter : '';
        const { latest, slowest, inFlight } = shown(now, filter);
        assert.equal(latest, slowest);
        assert.ok(latest + inFlight > 0, `${id}: nothing for ${filter}`);
        const known = { ...now, examples: [] };
        if (shown(known, filter).latest === 0) onlyKept++;
      }
    }
    for (const cause of Object.keys(now.causeCosts)) assert.ok(shown(now, `cause:"${cause}"`).latest > 0, cause);
    // Without a filter the lists are what they say.
    assert.deepEqual(shown(now, '').latest, now.latest.length);
    if (name === 'mixed-7.3') assert.ok(onlyKept > 0, 'some of these drill-downs were empty before');
  });
}

test('flags and results are read by the names of the kernel they were recorded on', async () => {
  const { session, slowest } = await snapshotOf('mixed-7.3');
  const { enums } = session;
  const bits = faultBits(session);
  assert.equal(faultFlagWords(0, enums), '0');
  assert.equal(faultResultWords(0, enums), '0');
  assert.equal(faultResultWords(bits.retry | bits.major, enums), 'MAJOR|RETRY');
  assert.equal(faultResultWords(0x20000 | bits.retry, enums), 'RETRY|0x20000');
  assert.equal(faultFlagWords(bits.user, { ...enums, faultFlags: {} }), '0x40');
  const attempts = slowest.flatMap((fault) => fault.attempts).filter(({ flags }) => flags >= 0);
  assert.ok(attempts.length > 0);
  for (const { lock, outcome, flags, ret } of attempts) {
    const words = faultFlagWords(flags, enums).split('|');
    if (lock === 'vma') assert.ok(words.includes('VMA_LOCK'));
    assert.ok(words.every((word) => !word.startsWith('0x')));
    if (outcome === 'retry') assert.ok(faultResultWords(ret, enums).split('|').includes('RETRY'));
  }
});
