// SPDX-License-Identifier: MIT
/** Who blocked whom over mmap_lock: by example, and against an oracle that looks at each instant by itself. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { blameWait, RecentSpans, type Span } from '../../src/core/aggregate/blame.js';
import { Blockers } from '../../src/core/aggregate/blockers.js';
import { createBatch } from '../../src/core/events/batch.js';
import { ProcessNames } from '../../src/core/events/process-names.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { procFile } from '../../src/core/vocabulary/lock-users.js';
import { VlKind, VlLockFlag, VlStepFlag } from '../../src/schema/events.gen.js';

const { WRITE, FOREIGN, KTHREAD, EXITING, FORK, FOUND_READER, FOUND_WRITER } = VlLockFlag;
const MM = 0xabc000;
const NO_SYSCALL = 0xffff_ffff;
const READ = 0;
const MADVISE = 28;

/** As much of a name of /proc as the kernel side takes. */
const taken = (name = ''): string => name.slice(0, 7);

interface Row {
  readonly kind: number;
  readonly time: number;
  readonly since: number;
  readonly tid: number;
  readonly tgid: number;
  readonly comm?: string;
  readonly flags?: number;
  readonly syscall?: number;
  readonly b?: number;
  readonly file?: string;
  readonly mm?: number;
  readonly fork?: readonly [threads: number, vmas: number, waitNs: number];
}

function push(blockers: Blockers, rows: readonly Row[]): void {
  const strings = ['', ...new Set(rows.flatMap(({ comm, file }) => [comm ?? 'db', taken(file)]))];
  const batch = createBatch(Math.max(1, rows.length), strings);
  for (const row of rows) {
    const i = batch.length++;
    batch.kind[i] = row.kind;
    batch.flags[i] = VlStepFlag.INFO | (row.flags ?? 0);
    batch.time[i] = row.time;
    batch.acquired[i] = row.since;
    batch.tid[i] = row.tid;
    batch.tgid[i] = row.tgid;
    batch.comm[i] = strings.indexOf(row.comm ?? 'db');
    batch.a[i] = row.syscall ?? NO_SYSCALL;
    batch.b[i] = row.b ?? 0;
    batch.mm[i] = row.mm ?? MM;
    batch.file[i] = strings.indexOf(taken(row.file));
    if (row.fork !== undefined) [batch.forkThreads[i], batch.forkVmas[i], batch.forkWait[i]] = row.fork;
    if (row.kind === UserKind.Lock) blockers.pushNow(batch, i);
    else blockers.push(batch, i);
  }
}

const held = (tid: number, since: number, time: number, more: Partial<Row> = {}): Row => ({
  kind: VlKind.L_HELD,
  tgid: tid,
  tid,
  since,
  time,
  ...more,
});
const waited = (tid: number, since: number, time: number, more: Partial<Row> = {}): Row => ({
  ...held(tid, since, time, more),
  kind: VlKind.L_WAITED,
});

/** An agent that reads the database's smaps, a thread that maps memory behind it, and a fault behind that one. */
const AGENT = { comm: 'agent', flags: FOREIGN, syscall: READ, file: 'smaps', b: 20 };
const CONVOY: readonly Row[] = [
  held(9, 100, 1100, AGENT),
  waited(21, 200, 1110, { tgid: 20, flags: WRITE | FOUND_READER, syscall: 9 }),
  held(21, 1110, 1200, { tgid: 20, flags: WRITE, syscall: 9 }),
  waited(22, 300, 1210, { tgid: 20, flags: FOUND_READER }),
];

describe('blockers', () => {
  it('names the reader outside first, its victims by kind, and the convoy behind the writer', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    push(blockers, CONVOY);
    const [agent, mapper] = blockers.rows();
    assert.ok(agent && mapper);
    assert.deepEqual(
      [agent.tgid, agent.comm, agent.what, agent.isWrite, agent.owner, agent.ownerComm],
      [9, 'agent', '/proc/PID/smaps', false, 20, 'db'],
    );
    assert.deepEqual([agent.hold.count, agent.hold.maxNs, agent.worstTid], [1, 1000, 9]);
    assert.deepEqual(
      agent.victims.map(({ tgid, what, isWrite, waits, sumNs }) => [tgid, what, isWrite, waits, sumNs]),
      [
        [20, 'mmap', true, 1, 900],
        [20, 'page fault', false, 1, 800],
      ],
    );
    assert.deepEqual([agent.waited.count, agent.untimed, agent.lock], [0, 0, 'mmap']);
    // What waited is a row as well, with its own waits, whether or not others waited for it.
    assert.deepEqual([mapper.waited.count, mapper.waited.maxNs], [1, 910]);
    const faults = blockers.rows().find(({ what }) => what === 'page fault');
    assert.deepEqual([faults?.waited.count, faults?.waited.maxNs, faults?.blocked.count], [1, 910, 0]);
    assert.deepEqual([agent.convoys, agent.convoyWaits, agent.convoyVia], [1, 1, 'db mmap']);
    // The fault waited for the writer as well: from when that one had the lock.
    assert.deepEqual(
      mapper.victims.map(({ what, sumNs }) => [what, sumNs]),
      [['page fault', 90]],
    );
    assert.equal(mapper.convoys, 0);
    const { all, faults: ofFaults } = blockers.waits();
    assert.deepEqual([all.waits.count, all.named, ofFaults.waits.count, ofFaults.named], [2, 2, 1, 1]);
  });

  it('says why a wait has no holder, and takes a writer by its name in the lock', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    push(blockers, [
      waited(22, 10, 20, { tgid: 20 }),
      waited(22, 30, 40, { tgid: 20, flags: FOUND_READER, b: 77 }),
      waited(22, 50, 60, { tgid: 20, flags: FOUND_WRITER, b: 77 }),
      held(77, 100, 200, { flags: WRITE, syscall: MADVISE, mm: MM + 1 }),
      waited(22, 70, 80, { tgid: 20, flags: FOUND_WRITER, b: 77 }),
    ]);
    const { all } = blockers.waits();
    assert.equal(all.named, 1);
    assert.deepEqual(all.why, { 'reader-not-seen': 1, 'writer-not-seen': 1 });
    // Nobody held it: it was had past a queue.
    assert.deepEqual([all.waits.count, all.free], [3, 1]);
    assert.equal(blockers.rows()[0]?.what, 'madvise');
  });

  it('takes a hold that began before the session for one that was there all the while', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    push(blockers, [held(9, Number.NaN, 500, AGENT), waited(22, 100, 510, { tgid: 20 })]);
    const [agent] = blockers.rows();
    assert.deepEqual([agent?.hold.count, agent?.blocked.sumNs], [0, 400]);
  });

  it('names page faults, /proc files, exit_mmap, kernel threads and system calls', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    push(blockers, [
      held(1, 0, 10),
      held(2, 0, 10, { flags: EXITING | WRITE, syscall: 231 }),
      held(3, 0, 10, { flags: KTHREAD, comm: 'khugepaged' }),
      held(4, 0, 10, { flags: FOREIGN, syscall: 310 }),
      held(5, 0, 10, { flags: FOREIGN, syscall: READ, file: 'smaps_rollup' }),
      held(6, 0, 10, { syscall: 27 }),
    ]);
    assert.deepEqual(
      blockers.rows().map(({ what }) => what),
      ['page fault', 'exit_mmap', 'khugepaged', 'process_vm_readv', '/proc/PID/smaps_rollup', 'mincore'],
    );
    assert.equal(procFile('maps'), 'maps');
    assert.equal(procFile(''), '');
    // Recordings say what their authors like.
    for (const name of ['__proto__', 'constructor', 'toString']) assert.equal(procFile(name), name);
  });

  it('sums forks: threads, VMAs, and waits for faults in them where that is seen', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    const fork = { flags: WRITE | FORK, syscall: 56 };
    push(blockers, [
      held(5, 0, 100, { ...fork, fork: [4, 300, 50] }),
      held(5, 200, 350, { ...fork, fork: [5, 310, 70] }),
    ]);
    const [five] = blockers.rows();
    assert.deepEqual(five?.forks, {
      count: 2,
      maxThreads: 5,
      maxVmas: 310,
      vmas: 610,
      vmaWaitNs: 120,
      maxVmaWaitNs: 70,
      // Recordings of the version that counted no VMAs.
      locked: null,
      waits: null,
      worst: null,
    });
    const blind = new Blockers('x86_64', false, new ProcessNames());
    push(blind, [held(6, 0, 10, { ...fork, fork: [1, 20, 0] })]);
    assert.equal(blind.rows()[0]?.forks?.vmaWaitNs, null);
  });

  it('knows who holds and who awaits a lock at a sample, and that nobody does at the next', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    push(blockers, CONVOY);
    push(blockers, [
      { ...waited(22, 1950, 2000, { tgid: 20, b: 1 }), kind: UserKind.Lock },
      { ...held(9, 1900, 2000, { ...AGENT, b: 0 }), kind: UserKind.Lock },
      // The last sample of a session comes twice.
      { ...waited(22, 1950, 2000, { tgid: 20, b: 1 }), kind: UserKind.Lock },
    ]);
    assert.deepEqual(
      blockers.now(2000).map(({ tid, what, isWaiting, ownerComm, since }) => [tid, what, isWaiting, ownerComm, since]),
      [
        [9, '/proc/PID/smaps', false, 'db', 1900],
        [22, 'page fault', true, 'db', 1950],
      ],
    );
    assert.deepEqual(blockers.now(3000), []);
  });

  it('stays within its bounds, and counts what it gave up', () => {
    const blockers = new Blockers('x86_64', true, new ProcessNames());
    for (let i = 0; i < 3000; i++) push(blockers, [held(i + 1, i * 10, i * 10 + 5, { flags: WRITE })]);
    push(blockers, [waited(99_999, 0, 40_000)]);
    assert.ok(blockers.rows().length <= 256);
    assert.ok(blockers.evicted > 0);
    assert.equal(blockers.late, 1);
  });
});

describe('blameWait', () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 4 }))
    .map(([start, length, tid]): Span => ({ start, end: start + length, tid }));

  it('gives each instant to the hold under way that ends last, and none twice', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 12 }), span, (holds, wait) => {
        const recent = new RecentSpans<Span>(64);
        for (const hold of holds) recent.add(hold);
        const parts = new Map<number, number>();
        const rest = blameWait(recent, wait, (hold, ns) => parts.set(hold.end, (parts.get(hold.end) ?? 0) + ns));
        const expected = new Map<number, number>();
        let nobody = 0;
        for (let t = wait.start; t < wait.end; t++) {
          const there = holds.filter((hold) => hold.tid !== wait.tid && hold.start <= t && t < hold.end);
          const last = Math.max(...there.map(({ end }) => end));
          if (there.length === 0) nobody++;
          else expected.set(last, (expected.get(last) ?? 0) + 1);
        }
        assert.deepEqual(new Map([...parts].sort()), new Map([...expected].sort()));
        assert.equal(rest, nobody);
      }),
      { numRuns: 2000 },
    );
  });
});
