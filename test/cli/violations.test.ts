// SPDX-License-Identifier: MIT
/** Violations found by `check` are markers of a replay. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findViolations } from '../../cli/commands/replay/violations.js';
import { createBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, pushCounter, pushEnd, pushRow } from '../../src/core/events/user-rows.js';
import { openReplay } from '../../src/recording/play/player.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { FLAG, syntheticSession, VMA_FLAGS } from '../core/session.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-violations-'));
after(() => rm(directory, { recursive: true }));
const SESSION: SessionInfo = syntheticSession({ scope: 'all' });

/** Faults that end well under the VMA lock; one of them claims to have been tried before, which the kernel never lets happen. */
async function recorded(name: string, wrong: number): Promise<string> {
  const path = join(directory, name);
  const writer = await createRecordingWriter(SESSION, await fileSink(path));
  const batch = createBatch(512, ['', 'task']);
  for (let fault = 0; fault < 50; fault++) {
    const flags = fault === wrong ? VMA_FLAGS | FLAG.FAULT_FLAG_TRIED : VMA_FLAGS;
    const i = batch.length;
    pushRow(batch, VlKind.HMF_EXIT, fault * 1e6, flags, 0, 0);
    batch.fault[i] = fault;
    batch.tid[i] = 7;
    batch.tgid[i] = 7;
    batch.comm[i] = 1;
    batch.flags[i] = VlStepFlag.INFO | VlStepFlag.REGS;
  }
  // A violation counts once the counters say that nothing was lost around it.
  pushCounter(batch, 55e6, CounterGroup.Emitted, VlKind.HMF_EXIT, 50);
  pushEnd(batch, 60e6);
  await writer.write(batch);
  await writer.end();
  return path;
}

test('the first violation of a rule is a marker where it happened; a recording that obeys has none', async () => {
  for (const [name, wrong] of [
    ['wrong', 30],
    ['right', -1],
  ] as const) {
    const path = await recorded(name, wrong);
    const replay = await openReplay(path, { finders: (session) => [findViolations(session)] });
    const found = replay.markers.filter(({ kind }) => kind === 'violation');
    if (wrong < 0) assert.deepEqual(found, []);
    else {
      assert.ok(found.length > 0);
      for (const { time, text } of found) {
        assert.ok(time >= wrong * 1e6 && time < (wrong + 1) * 1e6, `${time}: ${text}`);
        assert.match(text, /^rule \d+: /);
      }
    }
    await replay.close();
  }
});
