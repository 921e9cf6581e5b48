// SPDX-License-Identifier: MIT
/** A recording begun in the middle of a session, by a key: whole in itself, with counts of its own. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SessionRecorder } from '../../cli/tui/recorder.js';
import { freeName, saveText } from '../../cli/tui/save.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { openFile } from '../../src/recording/read/file.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { bundledRecording } from './bundled.js';

/** Batches of the session: the recording is begun before the first of these, ended before the second. */
const [FROM, TO] = [3, 8];

const UNHARMED = {
  onFailure: (error: unknown): void => {
    throw error;
  },
};

async function within(work: () => Promise<void>): Promise<void> {
  const before = process.cwd();
  const dir = mkdtempSync(join(tmpdir(), 'recorder-'));
  process.chdir(dir);
  try {
    await work();
  } finally {
    process.chdir(before);
    rmSync(dir, { recursive: true });
  }
}

test('w in the middle of a session, and again: what came between is in the file, and its books balance', async () => {
  await within(async () => {
    const session = await openFile(bundledRecording());
    const recorder = new SessionRecorder(session.session, UNHARMED);
    const live = new Pipeline(session.session);
    let [said, file, at] = ['', '', 0];
    for await (const batch of session.batches()) {
      if (at === FROM) {
        said = await recorder.toggle();
        file = recorder.file ?? '';
        assert.match(said, /^recording to vmalocktop-recording-.*\.vmlt; w ends it$/);
      }
      if (at === TO) {
        said = await recorder.toggle();
        assert.match(said, /^recorded \d+ rows \(.+\) to vmalocktop-recording-/);
        assert.equal(recorder.file, null);
      }
      await recorder.push(batch);
      live.push(batch);
      at++;
    }
    assert.ok(at > TO, `the recording has ${at} batches`);
    await recorder.close();
    await session.close();
    const source = await openFile(file);
    const pipeline = new Pipeline(source.session);
    for await (const batch of source.batches()) pipeline.push(batch);
    await source.close();
    const [part, all] = [pipeline.snapshot(), live.snapshot()];
    assert.equal(part.ended, true);
    assert.ok(part.lifecycles.total > 50, String(part.lifecycles.total));
    assert.ok(part.lifecycles.total < all.lifecycles.total);
    assert.ok(part.events.decoded > 0 && part.events.decoded < all.events.decoded);
    assert.ok(part.counts.faults < all.counts.faults, 'counters count from where the file begins');
    assert.deepEqual(
      part.session.hooks.map(({ target }) => target),
      all.session.hooks.map(({ target }) => target),
    );
  });
});

test('a key held down begins one recording', async () => {
  await within(async () => {
    const recorder = new SessionRecorder(syntheticSession(), UNHARMED);
    const [first, second] = await Promise.all([recorder.toggle(), recorder.toggle()]);
    assert.match(first, /^recording to/);
    assert.equal(second, 'one moment');
    await recorder.close();
    assert.equal(recorder.file, null);
  });
});

test('a full disk ends the recording and not the session, and is said once', async () => {
  await within(async () => {
    const failures: string[] = [];
    let room = 1;
    let closed = 0;
    const recorder = new SessionRecorder(syntheticSession(), {
      onFailure: (error) => failures.push(String(error)),
      open: async () => ({
        write: async () => {
          if (room-- <= 0) throw new Error('no space left on device');
        },
        end: async () => {
          closed++;
        },
      }),
    });
    await recorder.toggle();
    for (const batch of synthesize(6000, 3)) await recorder.push(batch);
    assert.deepEqual(failures, ['Error: no space left on device']);
    assert.equal(recorder.file, null);
    assert.equal(closed, 1);
    room = 1000;
    assert.match(await recorder.toggle(), /^recording to/);
    await recorder.close();
  });
});

test('a file is never written over another one', async () => {
  await within(async () => {
    const now = new Date('2026-01-02T03:04:05Z');
    const name = freeName('a list/of', 'csv', now);
    assert.equal(name, 'vmalocktop-a-list-of-20260102-030405.csv');
    const [first = '', second = ''] = await Promise.all(['1', '2'].map((text) => saveText('causes', 'json', text)));
    assert.notEqual(first, second);
    assert.ok(existsSync(first) && existsSync(second));
    for (const file of [first, second]) assert.equal(statSync(file).mode & 0o777, 0o600);
    process.chdir('/proc/self');
    await assert.rejects(saveText('causes', 'json', '1'), /cannot write vmalocktop-causes-/);
  });
});
