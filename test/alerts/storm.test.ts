// SPDX-License-Identifier: MIT
/** A storm from its first RETRY to the last: the default rule, all kinds of actions, and the replay of what was recorded. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { collectAlerts, findAlerts } from '../../cli/commands/replay/alerts.js';
import { readActions } from '../../src/actions/actions.js';
import { loadRules } from '../../src/actions/rules.js';
import { ActionRunner } from '../../src/actions/runner.js';
import { AlertWatch } from '../../src/actions/watch.js';
import { parseToml } from '../../src/config/toml.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import type { AlertEvent } from '../../src/core/alerts/event.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import { openReplay } from '../../src/recording/play/player.js';
import { openFile } from '../../src/recording/read/file.js';
import { createFlightRecorder } from '../../src/recording/write/flight.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { VlCounter } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';

const SECONDS = 120;
/** Storms of this session: seconds from and to. The second comes within the cooldown after the first. */
const STORMS: readonly (readonly [number, number])[] = [
  [10, 20],
  [40, 50],
  [100, 110],
];

/** The kernel's counters, read four times a second as a live source reads them. */
function* storms(): Generator<EventBatch> {
  let success = 0;
  let retry = 0;
  for (let quarter = 1; quarter <= SECONDS * 4; quarter++) {
    const seconds = quarter / 4;
    success += 1000;
    if (STORMS.some(([from, to]) => seconds > from && seconds <= to)) retry += 400;
    const batch = createBatch(4, ['']);
    const time = seconds * 1e9 + 1000;
    pushCounter(batch, time, CounterGroup.Kernel, VlCounter.VMA_OK, success);
    pushCounter(batch, time, CounterGroup.Kernel, VlCounter.VMA_RETRY, retry);
    if (quarter === SECONDS * 4) pushEnd(batch, time);
    yield batch;
  }
}

const brief = ({ rule, kind, time }: AlertEvent): string => `${rule} ${kind} ${(time / 1e9).toFixed(2)}`;

test('a storm fires, is acted upon, is over, and is the same in the replay', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-storm-'));
  t.after(() => rm(directory, { recursive: true }));
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      bodies.push(body);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  const session = syntheticSession();
  const rules = await loadRules();
  const executed = join(directory, 'executed');
  const actions = readActions(
    parseToml(
      `[[action]]
type = "log"
[[action]]
type = "exec"
argv = ["/bin/sh", "-c", 'cat >> "$1"', "sh", "${executed}"]
[[action]]
type = "webhook"
url = "http://127.0.0.1:${port}/"
[[action]]
type = "flight-recorder"
rules = ["retry-fallbacks"]
`,
      'daemon.toml',
    ),
    rules.map(({ name }) => name),
  );
  const flight = await createFlightRecorder(session, { seconds: 30, bytes: 1 << 20 });
  const lines: string[] = [];
  const dumps: string[] = [];
  const runner = new ActionRunner(actions, {
    session,
    log: (line) => void lines.push(line),
    dumpFlight: async (why) => {
      const path = join(directory, `flight-${dumps.length}.vmlt`);
      dumps.push(path);
      await flight.dumpTo(path, why);
      return path;
    },
  });
  const events: AlertEvent[] = [];
  const watch = new AlertWatch(new Pipeline(session), new AlertEngine(rules), {
    onEvents: (more) => {
      events.push(...more);
      runner.handle(more);
    },
  });
  const path = join(directory, 'storm.vmlt');
  const writer = await createRecordingWriter(session, await fileSink(path));
  for (const batch of storms()) {
    watch.push(batch);
    flight.write(batch);
    await writer.write(batch);
  }
  watch.finish();
  await writer.end();
  await runner.close();

  assert.deepEqual(events.map(brief), [
    'retry-fallbacks firing 13.75',
    'retry-fallbacks resolved 24.75',
    'retry-fallbacks firing 103.75',
    'retry-fallbacks resolved 114.75',
  ]);
  for (const [i, from] of [10, 100].entries()) {
    // `for` is 3 s; two intervals of 1 s more are allowed.
    assert.ok((events[2 * i]?.time ?? 0) / 1e9 <= from + 3 + 2);
  }

  assert.deepEqual(
    runner.stats().map(({ type, done, failed, dropped }) => ({ type, done, failed, dropped })),
    [
      { type: 'log', done: 4, failed: 0, dropped: 0 },
      { type: 'exec', done: 4, failed: 0, dropped: 0 },
      { type: 'webhook', done: 4, failed: 0, dropped: 0 },
      { type: 'flight-recorder', done: 2, failed: 0, dropped: 0 },
    ],
  );
  assert.equal(lines.length, 6);
  assert.deepEqual(
    (await readFile(executed, 'utf8')).trim().split('\n'),
    bodies.map((body) => body.trim()),
  );
  assert.deepEqual(
    bodies.map((body) => JSON.parse(body).kind),
    ['firing', 'resolved', 'firing', 'resolved'],
  );
  for (const dump of dumps) {
    const replay = await openReplay(dump);
    assert.match(replay.markers.find(({ kind }) => kind === 'alert')?.text ?? '', /^warning retry-fallbacks firing: /);
    await replay.close();
  }

  const source = await openFile(path);
  const again = collectAlerts(source.session, new Pipeline(source.session), rules);
  for await (const batch of source.batches()) again.watch.push(batch);
  again.watch.finish();
  await source.close();
  assert.deepEqual(again.events, events);
  const replay = await openReplay(path, { finders: (session) => [findAlerts(session, rules)] });
  assert.deepEqual(
    replay.markers.filter(({ kind }) => kind === 'alert').map(({ time }) => time),
    events.map(({ time }) => time),
  );
  await replay.close();
});
