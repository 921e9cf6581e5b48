// SPDX-License-Identifier: MIT
/**
 * Who holds a process's mmap_lock, against what the blocker notes itself: each hold lies within a read, a
 * process_vm_readv, a madvise or a fork of its own, and the blocker comes first among those outside.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BlockerRow } from '../../src/core/aggregate/blocker-rows.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { kernels, matrixOnly, runInGuest } from './guest.js';

const GUEST = 'test/vm/guest/blockers';
const SECONDS = '4';

interface Line {
  readonly kind: string;
  readonly code: number;
  readonly victim: number;
  readonly truth: string;
  readonly words: string;
  readonly recording: string;
}
type Span = readonly [start: number, end: number];

interface Seen {
  readonly victim: number;
  /** Who blocked, by its own word, and how many VMAs its victim had. */
  readonly pid: number;
  readonly tid: number;
  readonly vmas: number;
  /** What it did, and the holds of that thread that were recorded; ns of the session, in order. */
  readonly did: readonly Span[];
  readonly holds: readonly Span[];
  readonly snapshot: Snapshot;
}

async function read(line: Line): Promise<Seen> {
  assert.equal(line.code, 0, line.words);
  const [head = '', ...rows] = line.truth.trim().split('\n');
  const [pid = 0, tid = 0, vmas = 0] = head.split(' ').map(Number);
  const bytes = Buffer.from(line.recording, 'base64');
  const source = await openRecordingBytes(
    (async function* () {
      yield bytes;
    })(),
    line.kind,
  );
  const base = BigInt(source.session.baseNs);
  const pipeline = new Pipeline(source.session);
  const holds: Span[] = [];
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.length; i++) {
      const since = batch.acquired[i] as number;
      if (batch.kind[i] === VlKind.L_HELD && batch.tid[i] === tid && !Number.isNaN(since))
        holds.push([since, batch.time[i] as number]);
    }
    pipeline.push(batch);
  }
  return {
    victim: line.victim,
    pid,
    tid,
    vmas,
    did: rows.map((row) => row.split(' ').map((ns) => Number(BigInt(ns) - base)) as [number, number]),
    holds,
    snapshot: pipeline.snapshot(),
  };
}

/** Holds that lie within one thing the blocker did, and the longest share of it that one of them took. */
function within({ did, holds }: Seen): { inside: number; outside: number; share: number } {
  let at = 0;
  let inside = 0;
  let share = 0;
  for (const [since, end] of holds) {
    while (at < did.length && (did[at] as Span)[1] < since) at++;
    const [from = Number.POSITIVE_INFINITY, to = 0] = did[at] ?? [];
    if (from <= since && end <= to) {
      inside++;
      share = Math.max(share, (end - since) / (to - from));
    }
  }
  return { inside, outside: holds.length - inside, share };
}

/** The row of what the blocker did; it is the first of those that are not the victims' own mapping and unmapping. */
function rowOf({ snapshot, pid }: Seen, what: string): BlockerRow {
  const { blockers } = snapshot;
  assert.equal(blockers.known, true);
  const row = blockers.rows.find((it) => it.tgid === pid && it.what === what);
  assert.ok(row, `${what} of ${pid} among ${blockers.rows.map((it) => `${it.comm} ${it.tgid} ${it.what}`).join(', ')}`);
  return row;
}

/** What holds in every run: nothing is lost, and almost every wait of a fault has a holder. */
function assertWhole(t: TestContext, { snapshot }: Seen): void {
  const { events, blockers } = snapshot;
  assert.equal(events.dropped, 0);
  assert.equal(events.emitted, events.decoded);
  const { all, faults } = blockers;
  for (const [name, { waits, named, why }] of Object.entries({ all, faults })) {
    t.diagnostic(`${name}: ${waits.count} waits, ${named} with a holder, ${JSON.stringify(why)}`);
    assert.equal(named + Object.values(why).reduce((x, y) => x + y, 0), waits.count);
    // Of which nobody knows: a reader whose release was missed.
    assert.ok(waits.count - named <= 0.1 * waits.count, `${name}: more than a tenth without a holder`);
  }
  assert.ok(all.waits.count > 0, 'somebody waited');
}

function assertHolds(t: TestContext, seen: Seen): void {
  const { inside, outside, share } = within(seen);
  t.diagnostic(
    `holds within what the blocker did: ${inside} of ${inside + outside}, longest share ${share.toFixed(3)}`,
  );
  assert.ok(inside > 0);
  assert.equal(outside, 0, 'holds beside what the blocker did');
}

const CHECKS: Readonly<Record<string, (t: TestContext, seen: Seen) => void>> = {
  smaps(t, seen) {
    // 7.3 reads smaps under the locks of VMAs (lock_next_vma), and blocks nobody who wants mmap_lock.
    if ((seen.snapshot.otherUsers.procfs ?? 0) > 0) {
      const reader = seen.snapshot.blockers.rows.find((it) => it.tgid === seen.pid);
      assert.ok(reader === undefined || reader.hold.count < 10, JSON.stringify(reader));
      return;
    }
    const row = rowOf(seen, '/proc/PID/smaps');
    assert.equal(seen.snapshot.blockers.rows[0], row, 'the reader comes first');
    assert.equal(row.owner, seen.victim);
    assert.equal(row.isWrite, false);
    assert.ok(row.blocked.count > 0);
    assert.ok(
      row.victims.some(({ tgid, what, isWrite }) => tgid === seen.victim && isWrite && what === 'mmap'),
      JSON.stringify(row.victims),
    );
    assertHolds(t, seen);
    assert.ok(within(seen).share > 0.9, 'a read of smaps is one hold');
  },
  readv(t, seen) {
    const row = rowOf(seen, 'process_vm_readv');
    assert.equal(row.owner, seen.victim);
    assertHolds(t, seen);
  },
  madvise(t, seen) {
    const row = rowOf(seen, 'madvise');
    assert.equal(row.isWrite, true);
    assert.equal(row.tgid, seen.victim);
    assert.ok(rowOf(seen, 'mincore').hold.count > 0);
    assertHolds(t, seen);
  },
  fork(t, seen) {
    const row = seen.snapshot.blockers.rows.find(({ forks }) => forks !== null);
    assert.ok(row?.forks);
    t.diagnostic(JSON.stringify(row.forks));
    assert.equal(row.tgid, seen.victim);
    assert.ok(row.forks.maxVmas >= seen.vmas, `${row.forks.maxVmas} VMAs`);
    // The main thread and the four that map memory.
    assert.equal(row.forks.maxThreads, 5);
    const hooked = seen.snapshot.session.hooks.some(
      ({ target, attached }) => target === '__vma_start_write' && attached,
    );
    assert.equal(row.forks.vmaWaitNs !== null, hooked);
  },
};

const all = Object.keys(CHECKS).flatMap((kind) => [kind, SECONDS]);
const skip = await matrixOnly();

for (const kernel of kernels) {
  test(`${kernel}: who took the mmap_lock of a process, by what, for how long`, { skip }, async (t) => {
    const argv = [GUEST, ...all, 'smaps:p', SECONDS];
    const result = await runInGuest({ kernel, timeoutS: 900, argv });
    assert.equal(result.code, 0, result.stderr);
    for (const text of result.stdout.trim().split('\n')) {
      const line = JSON.parse(text) as Line;
      await t.test(line.kind, async (sub) => {
        const seen = await read(line);
        assertWhole(sub, seen);
        CHECKS[line.kind.split(':')[0] as string]?.(sub, seen);
      });
    }
  });
}
