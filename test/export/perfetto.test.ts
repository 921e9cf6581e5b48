// SPDX-License-Identifier: MIT
/** A trace as an independent decoder sees it: every slice has its end, slices nest, flows and counters are there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { nest, type Slice, slicesOf } from '../../src/export/perfetto/slices.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { type Closed, decode, eventsOf, slicesIn } from './perfetto-trace.js';
import { exported, GUEST_RECORDING, sourceOf } from './support.js';

function lifecyclesOf(batches: readonly EventBatch[]): Lifecycle[] {
  const all: Lifecycle[] = [];
  const pipeline = new Pipeline(syntheticSession(), { onClosed: (lifecycle) => all.push(lifecycle) });
  for (const batch of batches) pipeline.push(batch);
  return [...all, ...pipeline.open()];
}

test('a recording made in a guest: every slice ends, one fault slice for each lifecycle, counters at their totals', async () => {
  const { output, rows, losses } = await exported(await openFile(GUEST_RECORDING), { format: 'perfetto' });
  const packets = decode(output.all());
  const events = eventsOf(packets);
  const slices = slicesIn(events);
  assert.equal(slices.filter(({ name }) => name.startsWith('fault: ')).length, losses.lifecycles);
  assert.equal(rows, losses.lifecycles);
  const pipeline = new Pipeline((await openFile(GUEST_RECORDING)).session);
  for await (const batch of (await openFile(GUEST_RECORDING)).batches()) pipeline.push(batch);
  const snapshot = pipeline.snapshot();
  assert.equal(slices.filter(({ name }) => name === 'VMA lock: retry').length, snapshot.retry.total);
  assert.equal(slices.filter(({ name }) => name === 'wait: folio lock').length, snapshot.waits.folio.count);
  const counters = new Map(
    packets
      .filter(({ track_descriptor }) => track_descriptor?.counter)
      .map(({ track_descriptor }) => [track_descriptor?.name, track_descriptor?.uuid]),
  );
  const last = (name: string): number | undefined =>
    events.filter((event) => event.track === counters.get(name)).at(-1)?.value;
  assert.equal(last('RETRY under the VMA lock'), snapshot.counts.vmaLock.retry);
  assert.equal(last('faults done under the VMA lock'), snapshot.counts.vmaLock.success);
  assert.equal(last('program runs missed by the kernel'), snapshot.events.missed);
  const end = events.find(({ name }) => name === 'end of the recording');
  assert.equal(end?.notes.dropped, 0);
  assert.equal(end?.notes.missed, snapshot.events.missed);
  // The clock of the trace is CLOCK_MONOTONIC, tied to the wall clock.
  assert.equal(packets[0]?.trace_packet_defaults?.timestamp_clock_id, 3);
  assert.equal(packets[0]?.sequence_flags, 3);
  const clocks = packets.find(({ clock_snapshot }) => clock_snapshot)?.clock_snapshot;
  assert.equal(clocks?.primary_trace_clock, 3);
  const [pair] = snapshot.session.clocks;
  assert.equal(clocks?.clocks.find(({ clock_id }) => clock_id === 1)?.timestamp, pair?.realtimeNs);
  const monotonic = BigInt(snapshot.session.baseNs) + BigInt(pair?.time ?? 0);
  assert.equal(clocks?.clocks.find(({ clock_id }) => clock_id === 3)?.timestamp, String(monotonic));
  const threads = packets.flatMap(({ track_descriptor }) => track_descriptor?.thread ?? []);
  assert.ok(
    threads.length > 1 &&
      threads.every(({ pid, tid, thread_name }) => pid > 0 && tid > 0 && thread_name === 'swapload'),
  );
});

test('property: whatever is interleaved, nested or lost, every slice ends and fault slices are as many as lifecycles', async () => {
  const arbitrary = fc.record({
    faults: fc.integer({ min: 1, max: 300 }),
    seed: fc.integer(),
    dropRate: fc.constantFrom(0, 0.02, 0.3),
    missRate: fc.constantFrom(0, 0.05),
    observed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(arbitrary, async ({ faults, seed, ...options }) => {
      const batches = synthesize(faults, seed, options);
      const { output } = await exported(sourceOf(batches), { format: 'perfetto' });
      const slices = slicesIn(eventsOf(decode(output.all())));
      const lifecycles = lifecyclesOf(batches);
      assert.equal(slices.filter(({ name }) => name.startsWith('fault: ')).length, lifecycles.length);
      const attempts = lifecycles.flatMap((lifecycle) => lifecycle.attempts);
      assert.equal(slices.filter(({ name }) => /^(VMA lock|mmap_lock): /.test(name)).length, attempts.length);
      const waits = lifecycles.flatMap((lifecycle) => lifecycle.waits);
      assert.equal(slices.filter(({ name }) => name.startsWith('wait: ')).length, waits.length);
      // A fault is on top of its track; its attempts and waits lie within it.
      for (const { name, depth } of slices) if (name.startsWith('fault: ')) assert.equal(depth, 0);
      for (const { time, end } of slices) assert.ok(end >= time);
    }),
    { numRuns: 40 },
  );
});

test('property: nest makes slices that overlap only by nesting, and says how long a shortened one lasted', () => {
  const slice = fc.record({ start: fc.integer({ min: 0, max: 50 }), length: fc.integer({ min: 0, max: 50 }) });
  fc.assert(
    fc.property(fc.array(slice, { maxLength: 12 }), (made) => {
      const before: Slice[] = made.map(({ start, length }, i) => ({
        start,
        end: start + length,
        name: `${i}`,
        category: '',
      }));
      const after = nest(before);
      assert.equal(after.length, before.length);
      for (const x of after) {
        const was = before[Number(x.name)];
        assert.equal(x.start, was?.start);
        assert.ok(x.end <= (was?.end ?? -1) && x.end >= x.start);
        if (x.end !== was?.end) assert.equal(x.notes?.['lasted (ns)'], (was?.end ?? 0) - x.start);
        for (const y of after) {
          const crosses = x.start < y.start && y.start < x.end && x.end < y.end;
          assert.ok(!crosses, `${x.start}-${x.end} crosses ${y.start}-${y.end}`);
        }
      }
    }),
  );
});

/** A lifecycle with everything a flow can come from. */
function blamed(): Lifecycle {
  const [lifecycle] = lifecyclesOf(synthesize(400, 5, { unfinished: false })).filter(
    ({ attempts, waits, how }) =>
      how === 'ok-mmap' && attempts[0]?.outcome === 'retry' && waits.some(({ kind }) => kind === 'mmapLock'),
  );
  assert.ok(lifecycle);
  for (const wait of lifecycle.waits) {
    if (wait.kind !== 'mmapLock') continue;
    wait.contended = wait.start + (wait.end - wait.start) / 2;
    wait.holder = 77;
  }
  const [attempt] = lifecycle.attempts;
  assert.ok(attempt);
  attempt.verdict = { kind: 'write-locked', why: '', mmWriters: 2, writer: { tid: 88, syscall: 10, exact: true } };
  return lifecycle;
}

test('flows lead from the holder of mmap_lock, and from the writer of the VMA, into the wait', () => {
  const lifecycle = blamed();
  let flows = 0n;
  const { work, causes } = slicesOf(lifecycle, lifecycle.last, 'x86_64', () => ++flows);
  const wait = lifecycle.waits.find(({ kind }) => kind === 'mmapLock');
  const queue = work.find(({ name }) => name === 'queued for mmap_lock');
  const holder = causes.find(({ tid }) => tid === 77);
  assert.ok(wait && queue && holder);
  assert.equal(queue.start, wait.contended);
  assert.equal(queue.flowEnd, holder.flow);
  // The mark is not later than where the flow leads to: the direction of a flow is that of time.
  assert.ok(holder.time <= queue.start);
  const writer = causes.find(({ tid }) => tid === 88);
  assert.ok(writer);
  assert.equal(work.find(({ name }) => name === 'wait: mmap_lock')?.flowEnd, writer.flow);
  assert.equal(writer.notes?.['system call'], 'mprotect');
});

test('writers: the wait for mmap_lock with its flow, the hold, the VMA; a thread whose process is not known has a track', async () => {
  const batch = createBatch(16, ['', 'writer', 'reader']);
  const row = (kind: number, tid: number, time: number, acquired: number, a: number, b: number, flags = 0): void => {
    const i = batch.length++;
    batch.kind[i] = kind;
    batch.flags[i] = VlStepFlag.INFO | flags;
    batch.tid[i] = tid;
    batch.tgid[i] = 500;
    batch.comm[i] = 1;
    batch.time[i] = time;
    batch.acquired[i] = acquired;
    batch.a[i] = a;
    batch.b[i] = b;
  };
  row(VlKind.W_ACQUIRED, 501, 3000, 1000, 10, 900, VlStepFlag.HOLDER_READER);
  row(VlKind.W_VMA, 501, 3500, 3200, 10, 250);
  row(VlKind.W_RELEASED, 501, 4000, 3000, 10, 0);
  pushCounter(batch, 5000, CounterGroup.Dropped, VlKind.HMF_EXIT, 7);
  pushCounter(batch, 5000, CounterGroup.Kernel, VlCounter.VMA_OK, 3);
  pushCounter(batch, 6000, CounterGroup.Dropped, VlKind.HMF_EXIT, 12);
  pushEnd(batch, 6000);
  const { output } = await exported(sourceOf([batch], syntheticSession({ baseNs: '1000' })), { format: 'perfetto' });
  const packets = decode(output.all());
  const events = eventsOf(packets);
  const slices = slicesIn(events);
  const find = (name: string): Closed => slices.find((slice) => slice.name === name) ?? assert.fail(name);
  const waits = find('waits for mmap_lock (write)');
  assert.deepEqual([waits.time, waits.end], [2000n, 4000n]);
  assert.equal(waits.notes.behind, 'a reader');
  assert.equal(waits.notes['system call'], 'mprotect');
  const held = find('mmap_lock held (write)');
  assert.deepEqual([held.time, held.end], [4000n, 5000n]);
  assert.deepEqual([find('write-locks a VMA').time, find('write-locks a VMA').end], [4200n, 4500n]);
  const mark = events.find(({ flows }) => flows.length > 0);
  assert.ok(mark);
  assert.deepEqual(waits.ends, mark.flows);
  const holder = packets.find(({ track_descriptor }) => track_descriptor?.uuid === mark.track)?.track_descriptor;
  assert.equal(holder?.thread, undefined);
  assert.match(holder?.name ?? '', /900 \(process not known\)/);
  // Losses are a counter and marks.
  const marks = events.filter(({ type, name }) => type === 'TYPE_INSTANT' && name.startsWith('events dropped'));
  assert.deepEqual(
    marks.map(({ time, notes }) => [time, notes.more, notes['in all']]),
    [
      [6000n, 7, 7],
      [7000n, 5, 12],
    ],
  );
});

test('a recording that was cut off says so in the trace', async () => {
  const { output } = await exported(sourceOf(synthesize(20, 1)), {
    format: 'perfetto',
    truncated: () => 'cut off inside a message',
  });
  const end = eventsOf(decode(output.all())).find(({ name }) => name === 'recording cut off here');
  assert.equal(end?.notes['cut off'], 'cut off inside a message');
});
