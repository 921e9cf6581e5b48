// SPDX-License-Identifier: MIT
/** Each measure of `make bench` that runs whole processes, in its shortest form: counts and conservation, never times. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingBuffer } from 'ebpf-ts';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { type EventBatch, isOfNoFault } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { EventDecoder } from '../../src/live/decode.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlCpu } from '../../src/schema/events.gen.js';
import { bundledRecording } from '../tui/bundled.js';
import { benchGrowth, growthTable } from './growth.js';
import { benchLoad, loadRows } from './load.js';
import { benchReady, readyRows } from './ready.js';
import { copyOf } from './repeat.js';
import { benchRingLoad, ringFindings, ringLoadRows } from './ring-load.js';
import { RingStorm, ringMemory } from './ring-storm.js';
import { STORM_SESSION, SwapStorm } from './swap-storm.js';
import { table } from './words.js';

const storm = { faults: 3000, retries: 300, threads: 40 };

async function bundledRows(): Promise<EventBatch[]> {
  const source = await openFile(bundledRecording());
  const batches: EventBatch[] = [];
  for await (const batch of source.batches()) batches.push(copyOf(batch));
  await source.close();
  return batches;
}

describe('the streams of the benchmarks', () => {
  it('a storm counts each of its faults once, and each run of do_swap_page, second by second', () => {
    const stream = new SwapStorm(storm);
    const pipeline = new Pipeline(STORM_SESSION);
    for (let second = 1; second <= 3; second++) {
      const batches = stream.next();
      assert.equal(
        batches.reduce((rows, { length }) => rows + length, 0),
        stream.rows,
      );
      for (const batch of batches) pipeline.push(batch);
      const { swap, counts, lifecycles, events } = pipeline.snapshot();
      assert.equal(swap.faults, second * storm.faults);
      assert.equal(swap.calls, swap.followed + swap.counted.total);
      assert.equal(swap.counted.total, second * stream.counted);
      assert.equal(swap.counted.faults, swap.counted.total);
      assert.equal(swap.sampled, second * (stream.followed - storm.retries));
      assert.equal(counts.vmaLock.retry, second * storm.retries);
      assert.equal(counts.vmaLock.success, second * (storm.faults - storm.retries));
      assert.equal(lifecycles.total, second * stream.followed);
      assert.equal(events.emitted, events.decoded);
      assert.equal(stream.span * stream.rounds, second * 1e9);
    }
  });

  it('a ring gives back the rows it was filled with, and what found no room is counted', async () => {
    const batches = await bundledRows();
    const memory = ringMemory(2 ** 16);
    const filler = new RingStorm(memory, batches, 1e6);
    filler.begin(5e9);
    const decoder = new EventDecoder(
      RingBuffer.over(memory.consumer, memory.producer, memory.data),
      5_000_000_000n,
      2 * filler.records,
    );
    const batch = decoder.createBatch();
    const sent = Math.floor(1.5 * filler.records);
    while (filler.sent < sent) {
      filler.send(Math.min(sent, filler.sent + 300));
      decoder.drainInto(batch);
    }
    assert.equal(decoder.malformed, 0);
    assert.equal(batch.length, sent);
    const faults = 1 + Math.max(...batches.flatMap(({ fault, length }) => [...fault.subarray(0, length)]));
    const columns = [
      'kind',
      'flags',
      'cpu',
      'tid',
      'step',
      'a',
      'b',
      'tgid',
      'mm',
      'address',
      'vmFlags',
      'pte',
      'cgroup',
    ] as const;
    let n = 0;
    for (let round = 0; round < 2; round++)
      for (const rows of batches)
        for (let i = 0; i < rows.length && n < sent; i++) {
          const kind = rows.kind[i] as number;
          if (kind >= UserKind.Counter) continue;
          for (const name of columns)
            if (batch[name][n] !== rows[name][i])
              assert.fail(`${name} of record ${n} is ${batch[name][n]}, not ${rows[name][i]}`);
          const held = (rows.time[i] as number) - (rows.acquired[i] as number);
          assert.equal((batch.time[n] as number) - (batch.acquired[n] as number), held);
          assert.equal(batch.time[n], n * 1000);
          assert.equal(batch.fault[n], (rows.fault[i] as number) + (isOfNoFault(kind) ? 0 : round * faults));
          assert.equal(batch.strings[batch.comm[n] as number], rows.strings[rows.comm[i] as number]);
          n++;
        }
    assert.equal(n, sent);
    filler.send(2 * sent);
    batch.length = 0;
    const read = decoder.drainInto(batch);
    const words = new BigUint64Array(memory.counters);
    const sum = (offset: number): number =>
      Number(words.subarray(offset / 8, offset / 8 + 64).reduce((all, one) => all + one, 0n));
    assert.ok(read > 0 && filler.lost > 0);
    assert.deepEqual([sum(VlCpu.emitted), sum(VlCpu.dropped)], [2 * sent, filler.lost]);
    assert.equal(sent + read + filler.lost, 2 * sent);
  });
});

describe('what make bench measures', () => {
  it('the daemon under a storm: its books are right to the last record', async () => {
    const load = await benchLoad({ ...storm, warmUpSeconds: 1, seconds: 2 });
    assert.deepEqual(load.findings, []);
    const { round, rounds } = load.sent;
    assert.ok(rounds > 0 && round.swap.faults === storm.faults && round.counts.vmaLock.retry === storm.retries);
    assert.ok(Math.abs(load.faultsPerSec / load.retriesPerSec - storm.faults / storm.retries) < 1e-9);
    assert.ok(load.cpuShare > 0 && load.peakRssBytes > 0);
    assert.equal(loadRows(load).length, 6);
  });

  it('a ring, drawn and recorded: each record is decoded or lost, and the file has every one that was decoded', async () => {
    const rows = { faults: 500, threads: 40 };
    const load = await benchRingLoad({ rows, rate: 10_000, warmUpSeconds: 0.5, seconds: 1, ringBytes: 2 ** 22 });
    assert.equal(ringFindings(load), '');
    assert.ok(load.written.sent >= 15_000 && load.events.decoded > 0 && load.file.bytes > 0);
    assert.ok(load.delayP99Ms >= 0 && load.delayMaxMs >= load.delayP99Ms);
    assert.equal(ringLoadRows(load).length, 7);
    assert.match(ringFindings({ ...load, written: { ...load.written, sent: 1 } }), /records counted: \d+, not 1/);
  });

  it('the program starts, draws, and stays where nothing happens', async () => {
    const { help, firstFrame, rss } = await benchReady({ starts: 1, restSeconds: 2 });
    for (const figure of [help.ms, help.nodeMs, firstFrame.ms, firstFrame.nodeMs, ...Object.values(rss)])
      assert.ok(figure > 0, JSON.stringify({ help, firstFrame, rss }));
    assert.equal(readyRows({ help, firstFrame, rss }).length, 5);
  });

  it('a crowd grows as it was asked to, and none of its faults is lost', async () => {
    const options = { lifecycles: 4000, faults: 200, threads: 400, cgroups: 50 };
    const points = await benchGrowth(options);
    assert.deepEqual(
      points.map(({ part }) => part),
      [0.1, 1 / 3, 1],
    );
    for (const { emitted, decoded, ended, lifecycles, events } of points) {
      assert.equal(decoded, emitted);
      assert.equal(ended, lifecycles);
      assert.ok(events > decoded && lifecycles > 0);
    }
    const seen = points.map((point) => point.seen);
    assert.deepEqual(
      seen.map(({ threads, vmas, cgroups }) => [threads, vmas, cgroups]),
      [
        [40, 40, 10],
        [160, 160, 40],
        [400, 400, 50],
      ],
    );
    assert.ok((points.at(-1)?.lifecycles ?? 0) >= options.lifecycles);
    assert.match(growthTable(points), /^\| Growth \| 1\/10 \| 1\/3 \| the whole \|\n/);
  });
});

it('a table has a column for each thing that was measured', () => {
  assert.equal(table([['rate', '1', '2']], 'Ring', ['a', 'b']), '| Ring | a | b |\n|---|---|---|\n| rate | 1 | 2 |');
});
