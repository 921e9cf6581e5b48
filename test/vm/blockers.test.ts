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
/** Of each kind: some ten faults wait for a long hold in that time, of which some stand behind a writer. */
const SECONDS = '6';

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

/** Holds that lie within one thing the blocker did; of the longest of them, its share of that thing. */
function within({ did, holds }: Seen): { inside: number; outside: number; longestNs: number; share: number } {
  let at = 0;
  let inside = 0;
  let longestNs = 0;
  let share = 0;
  for (const [since, end] of holds) {
    while (at < did.length && (did[at] as Span)[1] < since) at++;
    const [from = Number.POSITIVE_INFINITY, to = 0] = did[at] ?? [];
    if (from > since || end > to) continue;
    inside++;
    if (end - since <= longestNs) continue;
    longestNs = end - since;
    share = longestNs / (to - from);
  }
  return { inside, outside: holds.length - inside, longestNs, share };
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
  const { vma } = blockers;
  t.diagnostic(
    vma === null ? 'VMA locks: not seen' : `VMA locks: ${vma.waits.count} waits, ${vma.named} with a holder`,
  );
}

/** Every hold lies within what the blocker did, and the longest is as long as the blocker says, within a tenth. */
function assertHolds(t: TestContext, seen: Seen, row: BlockerRow, wholeCall: boolean): void {
  const { inside, outside, longestNs, share } = within(seen);
  t.diagnostic(
    `holds within what the blocker did: ${inside} of ${inside + outside}, the longest ${longestNs} ns, ${share.toFixed(3)} of it`,
  );
  assert.ok(inside > 0);
  assert.equal(outside, 0, 'holds beside what the blocker did');
  if (!wholeCall) return;
  assert.equal(row.hold.maxNs, longestNs, 'the row has the longest one');
  assert.ok(share > 0.9, `a hold of ${share} of the call`);
}

/** A process outside that reads the victim under one hold of its mmap_lock. */
function assertReader(t: TestContext, seen: Seen, what: string, wholeCall: boolean): void {
  const row = rowOf(seen, what);
  assert.equal(seen.snapshot.blockers.rows[0], row, 'the reader comes first');
  assert.equal(row.owner, seen.victim);
  assert.equal(row.isWrite, false);
  assert.ok(row.blocked.count > 0);
  for (const [kind, isWrite] of [
    ['mmap', true],
    ['munmap', true],
    ['page fault', false],
  ] as const)
    assert.ok(
      row.victims.some((it) => it.tgid === seen.victim && it.isWrite === isWrite && it.what === kind),
      `no ${kind} among ${JSON.stringify(row.victims)}`,
    );
  assert.ok(row.convoys > 0 && row.convoyWaits > 0, 'faults stood behind writers that stood behind it');
  assertHolds(t, seen, row, wholeCall);
}

/** Readers that others than the workload's own threads are, or that no system call names. */
const OTHERS = ['/proc/PID/mem', 'ptrace', 'vmsplice', 'ksmd', 'khugepaged', 'exit_mmap'];

const CHECKS: Readonly<Record<string, (t: TestContext, seen: Seen) => void>> = {
  smaps(t, seen) {
    if ((seen.snapshot.otherUsers.procfs ?? 0) === 0) {
      assertReader(t, seen, '/proc/PID/smaps', true);
      return;
    }
    // 7.3 reads smaps under the locks of VMAs (lock_next_vma), and takes mmap_lock only where a writer has one of them.
    const row = seen.snapshot.blockers.rows.find((it) => it.tgid === seen.pid && it.lock === 'mmap');
    t.diagnostic(`${seen.did.length} reads, mmap_lock held in ${row?.hold.count ?? 0}`);
    assert.ok(seen.holds.length * 10 < seen.did.length, `mmap_lock held in ${seen.holds.length} of ${seen.did.length}`);
    if (row !== undefined) assert.equal(row.what, '/proc/PID/smaps');
  },
  rollup(t, seen) {
    // It gives the lock up for whoever queues (show_smaps_rollup asks mmap_lock_is_contended), and takes it again.
    assertReader(t, seen, '/proc/PID/smaps_rollup', false);
  },
  readv(t, seen) {
    const row = rowOf(seen, 'process_vm_readv');
    assert.equal(row.owner, seen.victim);
    // It takes the lock once for so many pages.
    assertHolds(t, seen, row, false);
  },
  madvise(t, seen) {
    const row = rowOf(seen, 'madvise');
    assert.equal(row.isWrite, true);
    assert.equal(row.tgid, seen.victim);
    const reader = rowOf(seen, 'mincore');
    assert.ok(reader.hold.count > 0 && reader.waited.count > 0, 'mincore held the lock, and waited for it');
    assertHolds(t, seen, row, false);
  },
  fork(t, seen) {
    const row = seen.snapshot.blockers.rows.find(({ forks }) => forks !== null);
    assert.ok(row?.forks);
    const { forks } = row;
    t.diagnostic(JSON.stringify(forks));
    assert.equal(row.tgid, seen.victim);
    assert.ok(forks.maxVmas >= seen.vmas, `${forks.maxVmas} VMAs`);
    // The main thread, the four that map memory, and the two that read the file.
    assert.equal(forks.maxThreads, 7);
    const hooked = seen.snapshot.session.hooks.some(
      ({ target, attached }) => target === '__vma_start_write' && attached,
    );
    assert.equal(forks.locked !== null, hooked);
    assert.equal(seen.snapshot.blockers.vma !== null, hooked);
    if (!hooked || forks.locked === null || forks.waits === null) return;
    // dup_mmap write-locks each VMA of the parent, but those that are locked already.
    const { missed } = seen.snapshot.events;
    assert.ok(forks.locked <= forks.vmas, `${forks.locked} locked of ${forks.vmas}`);
    assert.ok(forks.locked + missed >= forks.count * seen.vmas, `${forks.locked} locked, ${missed} runs missed`);
    assert.ok(forks.waits.count <= forks.locked);
    assert.ok(seen.snapshot.counts.vmaLock.retry > 0, 'faults that had to read the file');
  },
  others(t, { snapshot }) {
    const { rows } = snapshot.blockers;
    const of = (what: string): BlockerRow[] => rows.filter((row) => row.what === what);
    for (const what of OTHERS) {
      const [hold, waited, blocked] = (['hold', 'waited', 'blocked'] as const).map((part) =>
        of(what).reduce((sum, row) => sum + row[part].count, 0),
      );
      t.diagnostic(`${what}: ${hold} holds, ${waited} waits, ${blocked} waited behind it`);
    }
    assert.deepEqual(
      OTHERS.filter((what) => !of(what).some(({ hold }) => hold.count > 0)),
      [],
      'of these no hold was seen',
    );
    assert.ok(
      OTHERS.some((what) => of(what).some(({ waited }) => waited.count > 0)),
      'one of them waited',
    );
  },
};

const all = Object.keys(CHECKS).flatMap((kind) => [kind, SECONDS]);
const skip = await matrixOnly();

for (const kernel of kernels) {
  test(`${kernel}: who took the mmap_lock of a process, by what, for how long`, { skip }, async (t) => {
    const argv = [GUEST, ...all, 'smaps:p', SECONDS, 'rollup:p', SECONDS];
    const result = await runInGuest({ kernel, timeoutS: 2400, argv });
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
