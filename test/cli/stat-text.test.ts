// SPDX-License-Identifier: MIT
/** The summary of `stat` in words, over a gate with a writer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statText } from '../../cli/commands/stat/text.js';
import { CounterGroup, UserKind } from '../../src/core/events/user-rows.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import {
  AVOIDABLE,
  hooked,
  inOrder,
  PAGE,
  retry,
  snapshotOf,
  type WireRow,
  WRITE_LOCKED,
  WRITER_HOOKS,
  writer,
} from '../core/wire.js';

const counter = (b: number, value: number): WireRow => ({
  kind: UserKind.Counter,
  time: 90_000,
  tid: 0,
  a: CounterGroup.Kernel,
  b,
  value,
});

const ROWS = inOrder(
  ...[0, 1, 2].map((i) =>
    retry({ fault: i, tid: 200 + i, from: 1000, to: 9000, found: AVOIDABLE, folio: 3, mmWait: 500 }),
  ),
  retry({
    fault: 3,
    tid: 203,
    from: 1000,
    to: 9000,
    found: AVOIDABLE,
    folio: 3,
    mmWriters: 2,
    mmWait: 500,
    behind: 300,
  }),
  retry({
    fault: 4,
    tid: 204,
    from: 1000,
    to: 9000,
    folio: 3,
    found: WRITE_LOCKED,
    mmWriters: 1,
    writer: { tid: 300, syscall: 10, exact: true },
  }),
  retry({ fault: 5, tid: 205, from: 1000, to: 9000, folio: 3, found: 1 }),
  writer({
    tid: 300,
    syscall: 10,
    asked: 4000,
    had: 6000,
    released: 9100,
    behind: 7,
    flags: VlStepFlag.HOLDER_WRITER,
    vmas: [[6500, PAGE, PAGE + 4096, 40]],
  }),
  [
    { kind: UserKind.SwapDevice, time: 0, tid: 0, a: 0, b: 3, comm: 'vdb', value: 0 },
    counter(VlCounter.MM_READ, 1_234_567),
    counter(VlCounter.MM_READ_NS, 45e6),
    counter(VlCounter.MM_READ_1US, 1_234_560),
    counter(VlCounter.MM_READ_1MS, 7),
    counter(VlCounter.MM_WRITE, 1),
    counter(VlCounter.MM_WRITE_NS, 2000),
    counter(VlCounter.MM_WRITE_10US, 1),
    counter(VlCounter.MM_TRY_FAILED, 5),
    counter(VlCounter.USER_UFFD, 9),
  ],
);

/** Without the hooks that are not there by purpose, and blank lines. */
function linesOf(text: string): string[] {
  return text.split('\n').map((line) => line.trimEnd());
}

function block(lines: readonly string[], begins: string): string[] {
  const from = lines.findIndex((line) => (begins.startsWith(' ') ? line.startsWith(begins) : line.includes(begins)));
  assert.notEqual(from, -1, `${begins} is nowhere in\n${lines.join('\n')}`);
  return lines.slice(from, lines.indexOf('', from));
}

describe('stat as text', () => {
  const snapshot = snapshotOf(ROWS, { ...hooked(...WRITER_HOOKS, 'uffd_lock_vma', 'filemap_fault'), arch: 'x64' });
  const lines = linesOf(statText(snapshot));

  it('says which retries were avoidable, and what either way would have cost', () => {
    assert.deepEqual(block(lines, 'retries followed:'), [
      '                  of 6 retries followed:',
      '               4  avoidable                            66.7%, 1 while other writers held the mm',
      '               1  not avoidable                        write-locked 1',
      '               1  avoidable or not is unknown          not recorded 1',
      '          499 ns  saved: they queued for mmap_lock',
      '          1.5 µs  in lock_mm_and_find_vma, not queued',
      '          2.5 µs  writer stall, had the lock stayed    exact, writers 1; at most 3 µs by mmap_lock alone',
    ]);
  });

  it('does not call a stall exact without saying what was dropped', () => {
    const dropped = { ...counter(VlKind.W_VMA, 4), a: CounterGroup.Dropped };
    const text = statText(snapshotOf([...ROWS, dropped], { ...hooked(...WRITER_HOOKS), arch: 'x64' }));
    assert.match(text, /exact, writers 1; at most 3 µs by mmap_lock alone; 4 records of writers dropped\n/);
  });

  it('has the mmap_lock table as it goes into mails: ASCII, in columns', () => {
    const table = block(lines, ' mmap_lock  ');
    assert.deepEqual(table, [
      ' mmap_lock       <1us  <10us  <100us  <1ms  <10ms  <100ms  <1s  longer   acquired  waited',
      ' read       1,234,560      0       0     7      0       0    0       0  1,234,567   45 ms',
      ' write              0      1       0     0      0       0    0       0          1    2 us',
      ' 5 trylocks for read failed',
    ]);
  });

  it('shows stacks where they were taken', () => {
    const rows = retry({ fault: 9, tid: 209, from: 1000, to: 9000, found: AVOIDABLE });
    const at = rows.findIndex((r) => r.kind === VlKind.HMF_EXIT) + 1;
    const { time, step = 0 } = rows[at - 1] as WireRow;
    const stack: WireRow = { kind: VlKind.STACK, time, tid: 209, fault: 9, step: step + 1, a: 4, b: 0xffff_ffff };
    const later = rows.slice(at).map((r) => ({ ...r, step: (r.step ?? 0) + 1 }));
    const frame = { kind: UserKind.Frame, time: 0, tid: 0, a: 4, comm: '__folio_lock_or_retry+0x1', value: 1 };
    const text = statText(snapshotOf([...rows.slice(0, at), stack, ...later, frame]));
    assert.deepEqual(block(linesOf(text), 'from one stack'), [
      '               1  from one stack: folio locked: own read',
      '                    __folio_lock_or_retry+0x1',
    ]);
  });

  it('says what full tables cost', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => writer({ tid: 300, syscall: i, asked: i, had: i + 1 }));
    const text = statText(snapshotOf(rows.flat(), hooked(...WRITER_HOOKS)));
    assert.match(text, /left out because a table was full: rows of writers 2,\d{3}\n/);
  });

  it('names the writers', () => {
    const [, head, row] = block(lines, 'writers that waited');
    assert.match(
      head ?? '',
      /pid +comm +system call +locks +waited +p99 +max +held +after readers +after writers +inverted/,
    );
    assert.match(row ?? '', /^ 100 +writer +mprotect +1 +2 µs +2 µs +2 µs +3.1 µs +0 +1 +0 +1 +40 ns +1 +1 +\d+$/);
  });

  it('names processes, and cgroups where there are several', () => {
    const snapshot = snapshotOf(ROWS);
    const [, head, first] = block(statText(snapshot).split('\n'), 'processes, by retries');
    assert.match(head ?? '', /pid +comm +retries +aborts +in flight +folio lock +mmap_lock +traced +swap +total/);
    const [top] = snapshot.processes;
    assert.match(first ?? '', new RegExp(`^ +${top?.tgid} +${top?.comm} +${top?.retries} `));
    const [cgroup] = snapshot.cgroups;
    assert.equal(
      snapshot.processes.reduce((sum, { retries }) => sum + retries, 0),
      cgroup?.retries,
    );
    assert.doesNotMatch(statText(snapshot), /cgroups, by retries/, 'one cgroup');
    assert.match(statText({ ...snapshot, cgroups: [cgroup, cgroup] as never }), /cgroups, by retries/);
  });

  it('names swap devices and herds', () => {
    const rows = block(lines, 'swap faults');
    assert.ok(
      rows.includes(
        '               6  faults on swap vdb                   asynchronous, MAJOR 6, retries 6, folio waits p99 8 µs',
      ),
      rows.join('\n'),
    );
    assert.ok(rows.includes('               6  faults at most on one locked folio'), rows.join('\n'));
  });

  it('does not print a zero for what no hook shows', () => {
    const waits = block(lines, 'waits: folio lock').join('\n');
    assert.match(waits, /waits not hooked here, so not known: shmem page,/);
    assert.doesNotMatch(waits, /file page/);
    assert.deepEqual(block(lines, 'VMA locks by userfaultfd'), [
      '               9  VMA locks by userfaultfd ioctls',
      '                  VMA locks no hook counts here: readers of /proc/PID/maps, madvise, DAMON, other system calls',
    ]);
    const bare = linesOf(statText(snapshotOf(ROWS)));
    assert.match(
      block(bare, 'mmap_lock acquisitions').join(''),
      /\? {2}mmap_lock acquisitions +mmap_lock_acquire_returned was/,
    );
    assert.match(block(bare, 'retries followed:').join('\n'), /\? {2}writer stall, had the lock stayed +neither/);
  });
});
