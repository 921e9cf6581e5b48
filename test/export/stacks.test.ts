// SPDX-License-Identifier: MIT
/** Stacks out of a recording made in a guest: every format says the same, and an independent reader can read it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { CUT_FRAME } from '../../src/core/events/frames.js';
import { openFile } from '../../src/recording/read/file.js';
import { decode } from './perfetto-trace.js';
import { exported, STACK_RECORDING } from './support.js';

interface StackLine {
  readonly kind: string;
  readonly reason: string;
  readonly process: string;
  readonly count: number;
  readonly total_ns: number;
  readonly user_frames: number;
  readonly kernel_frames: number;
  readonly frames: string;
}

async function table(): Promise<StackLine[]> {
  const { output } = await exported(await openFile(STACK_RECORDING), { format: 'jsonl', table: 'stacks' });
  const lines = output.all().toString().trimEnd().split('\n');
  return lines.slice(1, -1).map((line) => JSON.parse(line) as StackLine);
}

async function snapshot(): Promise<Snapshot> {
  const source = await openFile(STACK_RECORDING);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  return pipeline.snapshot();
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

test('the table of stacks counts as often as the retries and aborts had one', async () => {
  const rows = await table();
  const { causeStacks, retry } = await snapshot();
  const faults = rows.filter(({ kind }) => kind === 'RETRY' || kind === 'ABORT');
  assert.equal(sum(faults.map(({ count }) => count)), sum(causeStacks.map(({ count }) => count)));
  assert.ok(sum(causeStacks.map(({ count }) => count)) >= retry.total, 'every RETRY of this recording has its stack');
  for (const cause of new Set(causeStacks.map((row) => row.cause))) {
    assert.equal(
      sum(faults.filter(({ reason }) => reason === cause).map(({ count }) => count)),
      sum(causeStacks.filter((row) => row.cause === cause).map(({ count }) => count)),
      cause,
    );
  }
  const writers = rows.filter(({ kind }) => kind === 'waits for mmap_lock (write)');
  assert.ok(writers.some(({ reason, frames }) => reason === 'mprotect' && frames.includes('do_mprotect_pkey')));
  for (const { user_frames, kernel_frames, frames } of rows)
    assert.equal(frames === '' ? 0 : frames.split(';').length, user_frames + kernel_frames);
});

test('a user stack that goes on through what is no code is cut there, and says so', async () => {
  const rows = await table();
  const cut = rows.filter(({ frames }) => frames.includes(CUT_FRAME));
  assert.ok(cut.length > 0, 'the recording has such stacks');
  for (const { frames } of rows) {
    const bare = frames.split(';').filter((frame) => /^0x/.test(frame));
    // Where a process ended before its mappings were read, nothing has a name.
    assert.ok(bare.length === 0 || frames.split(';').some((frame) => frame === bare.at(-1)), frames);
    assert.doesNotMatch(frames, /0x101010101010101|0x6f6c6b726f772f74/);
  }
});

test('folded stacks weigh what the table says, outermost first, the kernel marked', async () => {
  const rows = await table();
  for (const weight of ['count', 'time'] as const) {
    const { output } = await exported(await openFile(STACK_RECORDING), { format: 'folded', weight });
    const lines = output.all().toString().trimEnd().split('\n');
    const weights = lines.map((line) => Number(/ (\d+)$/.exec(line)?.[1]));
    const expected = sum(rows.map(({ count, total_ns }) => (weight === 'count' ? count : total_ns / 1000)));
    if (weight === 'count') assert.equal(sum(weights), expected);
    else
      assert.ok(sum(weights) >= expected && sum(weights) < expected + lines.length, 'rounded up, a microsecond a line');
    assert.deepEqual(
      lines,
      [...new Set(lines)].sort((x, y) => (x < y ? -1 : 1)),
    );
    const folio = lines.find((line) => line.includes('__folio_lock_or_retry'));
    assert.match(
      folio ?? '',
      /^RETRY;[^;]+;.*;asm_exc_page_fault_\[k\];.*do_swap_page_\[k\];__folio_lock_or_retry_\[k\] \d+$/,
    );
  }
});

interface Profile {
  readonly sample_type: readonly { readonly type: number; readonly unit: number }[];
  readonly sample: readonly {
    readonly location_id: readonly number[];
    readonly value: readonly number[];
    readonly label: readonly { readonly key: number; readonly str: number }[];
  }[];
  readonly mapping: readonly { readonly id: number; readonly filename: number }[];
  readonly location: readonly {
    readonly id: number;
    readonly mapping_id: number;
    readonly line: readonly { readonly function_id: number }[];
  }[];
  readonly function: readonly { readonly id: number; readonly name: number }[];
  readonly string_table: readonly string[];
  readonly time_nanos: number;
  readonly duration_nanos: number;
  readonly default_sample_type: number;
}

test('pprof: what is referred to is there, leaves come first, values and labels are those of the table', async () => {
  const proto = readFileSync(new URL('../../../test/export/pprof.proto', import.meta.url), 'utf8');
  const type = protobuf.parse(proto, { keepCase: true }).root.lookupType('perftools.profiles.Profile');
  const { output } = await exported(await openFile(STACK_RECORDING), { format: 'pprof', weight: 'time' });
  const profile = type.toObject(type.decode(gunzipSync(output.all())), {
    longs: Number,
    arrays: true,
  }) as unknown as Profile;
  const { string_table: text } = profile;
  assert.equal(text[0], '');
  assert.deepEqual(
    profile.sample_type.map(({ type: what, unit }) => [text[what], text[unit]]),
    [
      ['events', 'count'],
      ['time', 'nanoseconds'],
    ],
  );
  assert.equal(text[profile.default_sample_type], 'time');
  const mappings = new Set(profile.mapping.map(({ id }) => id));
  const functions = new Map(profile.function.map(({ id, name }) => [id, text[name] ?? '']));
  const locations = new Map(profile.location.map((location) => [location.id, location]));
  for (const all of [profile.mapping, profile.location, profile.function])
    assert.deepEqual(new Set(all.map(({ id }) => id)).size, all.length, 'ids are unique');
  for (const { mapping_id, line } of profile.location) {
    assert.ok(mappings.has(mapping_id));
    assert.ok(line.every(({ function_id }) => functions.has(function_id)));
  }
  const rows = await table();
  const key = (kind: string, reason: string, process: string, leaf: string): string =>
    [kind, reason, process, leaf].join('|');
  const plain = (frame: string): string => frame.replace(/\+0x[0-9a-f]+/, '');
  const expected = rows
    .map((row) => [
      key(row.kind, row.reason, row.process, plain(row.frames.split(';').at(-1) ?? '')),
      row.count,
      row.total_ns,
    ])
    .map(String);
  const read = profile.sample.map(({ location_id, value, label }) => {
    const labels = Object.fromEntries(label.map(({ key: name, str }) => [text[name], text[str]]));
    const leaf = functions.get(locations.get(location_id[0] ?? 0)?.line[0]?.function_id ?? 0) ?? '';
    return String([key(labels.kind ?? '', labels.reason ?? '', labels.process ?? '', leaf), ...value]);
  });
  assert.deepEqual(read.sort(), expected.sort());
  assert.ok(text.includes('[kernel]') && text.includes('libc.so.6'));
  const { session, time } = await snapshot();
  assert.equal(profile.duration_nanos, time);
  assert.ok(
    Math.abs(profile.time_nanos - Number(session.clocks[0]?.realtimeNs)) < 60e9,
    'the wall clock of its beginning',
  );
});

test('Perfetto: every mark of a stack refers to one that is interned before, its frames to names', async () => {
  const { output } = await exported(await openFile(STACK_RECORDING), { format: 'perfetto' });
  const functions = new Map<string, string>();
  const frames = new Map<string, { readonly name: string; readonly kind: number }>();
  const stacks = new Map<string, readonly string[]>();
  let marks = 0;
  for (const { interned_data: interned, track_event: event } of decode(output.all())) {
    for (const { iid, str } of interned?.function_names ?? []) functions.set(iid, Buffer.from(str).toString());
    for (const { iid, function_name_id, kind } of interned?.frames ?? []) {
      const name = functions.get(function_name_id);
      assert.ok(name !== undefined);
      frames.set(iid, { name, kind });
    }
    for (const { iid, frame_ids } of interned?.callstacks ?? []) {
      assert.ok(frame_ids.length > 0 && frame_ids.every((id) => frames.has(id)));
      stacks.set(iid, frame_ids);
    }
    if (event?.callstack_iid === undefined || event.callstack_iid === '0') continue;
    assert.ok(stacks.has(event.callstack_iid), 'a stack is interned before it is used');
    marks++;
  }
  const rows = await table();
  assert.equal(marks, sum(rows.filter(({ frames: named }) => named !== '').map(({ count }) => count)));
  const outermost = [...stacks.values()].map((ids) => frames.get(ids.at(-1) ?? '')?.name ?? '');
  assert.ok(
    outermost.some((name) => name.startsWith('__folio_lock_or_retry')),
    'the innermost comes last',
  );
  assert.deepEqual([...new Set([...frames.values()].map(({ kind }) => kind))].sort(), [1, 2]);
});
