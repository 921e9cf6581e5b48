// SPDX-License-Identifier: MIT
/** Wall-clock times of a session during which the host was suspended or its clock set are right in alerts, --from, exports and reports. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { wallTime } from '../../src/actions/message.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { addClock, pushClock, timeOfWall, wallNs } from '../../src/core/events/clocks.js';
import type { ClockPair, SessionInfo } from '../../src/core/events/session.js';
import { Context } from '../../src/export/base/context.js';
import { withClocks } from '../../src/recording/read/clocks.js';
import { openFile } from '../../src/recording/read/file.js';
import { NamesSoFar } from '../../src/recording/read/names.js';
import { sliceSource } from '../../src/recording/read/slice.js';
import { parseWhen, timeRangeOf, wallClock } from '../../src/recording/read/when.js';
import { plainBatch, record, SESSION } from './support.js';

const SECOND = 1_000_000_000n;
const BEGIN = 1_700_000_000n * SECOND;
const HOUR = 3600n * SECOND;
const iso = (ns: bigint): string => new Date(Number(ns / 1_000_000n)).toISOString();

const clock = (seconds: number, realtimeNs: bigint): EventBatch => {
  const batch = createBatch(1, ['']);
  pushClock(batch, seconds * 1e9, realtimeNs);
  return batch;
};
const fresh = (): SessionInfo => ({ ...SESSION, clocks: [{ time: 0, realtimeNs: BEGIN.toString() }] });

/** Suspended for an hour 20 s after its begin; a row a second, 60 of them. */
function suspended(): EventBatch[] {
  const batches: EventBatch[] = [];
  for (let second = 0; second < 60; second++) {
    const batch = plainBatch(1);
    batch.time[0] = second * 1e9;
    batches.push(batch);
    if (second === 20) batches.push(clock(20.25, BEGIN + 20_250_000_000n + HOUR));
  }
  return batches;
}

describe('clock pairs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'clocks-test-'));
  after(() => rmSync(directory, { recursive: true }));

  it('hold from their time on, for alerts and exports alike', () => {
    const session = fresh();
    const pipeline = new Pipeline(session);
    const context = new Context(session);
    for (const batch of suspended()) {
      context.observe(batch);
      pipeline.push(batch);
    }
    assert.equal(wallTime(session, 10e9), iso(BEGIN + 10n * SECOND));
    assert.equal(wallTime(session, 30e9), iso(BEGIN + 30n * SECOND + HOUR));
    assert.equal(context.wallClock(10e9), BEGIN + 10n * SECOND);
    assert.equal(context.wallClock(30e9), BEGIN + 30n * SECOND + HOUR);
    assert.equal(wallNs(pipeline.snapshot().session, 0), BEGIN, 'where a report begins');
  });

  it('find the time the wall clock said, behind a suspend and where it was set back', () => {
    const forward: Pick<SessionInfo, 'clocks'> = {
      clocks: [
        { time: 0, realtimeNs: BEGIN.toString() },
        { time: 20e9, realtimeNs: (BEGIN + 20n * SECOND + HOUR).toString() },
      ],
    };
    assert.equal(timeOfWall(forward, BEGIN + 10n * SECOND), 10e9);
    assert.equal(timeOfWall(forward, BEGIN + HOUR + 30n * SECOND), 30e9);
    assert.equal(timeOfWall(forward, BEGIN + HOUR / 2n), 20e9, 'never said: when it was past');
    const back: Pick<SessionInfo, 'clocks'> = {
      clocks: [
        { time: 0, realtimeNs: BEGIN.toString() },
        { time: 20e9, realtimeNs: (BEGIN + 5n * SECOND).toString() },
      ],
    };
    assert.equal(timeOfWall(back, BEGIN + 10n * SECOND), 10e9, 'said twice: the first time');
    assert.equal(timeOfWall(back, BEGIN + 25n * SECOND), 40e9);
    assert.equal(timeOfWall({ clocks: [] }, BEGIN), null);
  });

  it('are as many as the clocks drifted apart, not one a minute', () => {
    const clocks: ClockPair[] = [{ time: 0, realtimeNs: BEGIN.toString() }];
    for (let minute = 1; minute <= 100_000; minute++) {
      const drift = minute > 50_000 ? HOUR : 0n;
      addClock(clocks, { time: minute * 60e9, realtimeNs: (BEGIN + BigInt(minute) * 60n * SECOND + drift).toString() });
    }
    assert.ok(clocks.length <= 5, `${clocks.length} pairs`);
    assert.equal(wallNs({ clocks }, 40_000 * 60e9), BEGIN + 40_000n * 60n * SECOND);
    assert.equal(wallNs({ clocks }, 60_000 * 60e9), BEGIN + 60_000n * 60n * SECOND + HOUR);
  });

  it('of a whole recording serve --from, and what is cut out keeps them', async () => {
    const path = join(directory, 'suspended.vmlt');
    writeFileSync(path, await record(suspended(), fresh()));
    const when = parseWhen(iso(BEGIN + HOUR + 30n * SECOND)) ?? undefined;
    const source = await openFile(path);
    assert.notEqual(timeRangeOf(source.session, when, undefined).from, 30e9, 'its head knows the first pair alone');
    const session = await withClocks(source.session, path, [when]);
    assert.equal(timeRangeOf(session, when, undefined).from, 30e9);
    assert.equal(await withClocks(source.session, path, [parseWhen('5') ?? undefined]), source.session, 'not needed');
    const slice = sliceSource(source, timeRangeOf(session, when, undefined));
    const pipeline = new Pipeline(slice.session);
    for await (const batch of slice.batches()) pipeline.push(batch);
    assert.equal(wallClock(slice.session, 0), Number((BEGIN + HOUR + 30n * SECOND) / 1_000_000n));
    await source.close();
  });

  it('are said again where a later part begins, for its own time', () => {
    const names = new NamesSoFar();
    names.add(clock(20, BEGIN + 20n * SECOND + HOUR), 0);
    const [batch] = [...names.batches(50e9)];
    assert.ok(batch);
    const session = fresh();
    new Pipeline(session).push(batch);
    assert.equal(wallNs(session, 50e9), BEGIN + 50n * SECOND + HOUR);
  });
});
