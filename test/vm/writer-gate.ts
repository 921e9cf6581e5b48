// SPDX-License-Identifier: MIT
/** The counterfactual against a gate with a writer of which everything is known: test/workload/writer-gate.c. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { syscallName } from '../../src/core/vocabulary/syscalls.js';
import { causeOf, retriesOf, type Session, tally } from './guest-session.js';
import type { Fault, Stat, Truth } from './session.js';

/** The workloads below, of those that test/vm/guest/causes runs. */
export const WRITER_GATES = '^writer-gate';
/** Each is two calls of mprotect, one of mmap and one of munmap. */
const CHANGES = 5;

interface Gate {
  truth: Truth;
  faults: Fault[];
  stall: Stat['counterfactual']['byProcess'][number]['stall'];
}

/** The waiters' retries, whole: their causes are exact, whatever the writer did. */
function gate(session: Session, mode: string): Gate {
  const run = `writer-gate-${mode}-8-${CHANGES}`;
  const truth = session.truth(run);
  const faults = session.at(run);
  session.assertCount(`${run}: ${JSON.stringify(tally(faults, causeOf))}`, retriesOf(faults).length, truth.truth);
  const byCause = tally(faults, causeOf);
  session.assertCount('own read', byCause['folio locked: own read'] ?? 0, 1);
  session.assertCount('other read', byCause['folio locked: other read'] ?? 0, truth.truth - 1);
  const row = session.stat.counterfactual.byProcess.find(({ key }) => key.startsWith(`${truth.pid} `));
  assert.ok(row, `${run}: no counterfactual of the process`);
  return { truth, faults, stall: row.stall };
}

function assertVerdicts(session: Session, { truth, faults }: Gate, kinds: readonly string[]): void {
  session.assertSaid('verdicts', retriesOf(faults), ({ verdict }) => String(verdict), kinds, truth.truth);
}

/** Of the retries: how many had exactly so many writers of the mm before their fallback. */
function assertWriters(session: Session, { truth, faults }: Gate): void {
  const writers = [String(truth.writers)];
  session.assertSaid(
    'writers of the mm',
    retriesOf(faults),
    ({ mm_writers }) => String(mm_writers),
    writers,
    truth.truth,
  );
}

/** Of the retries: how many name that thread, in that system call, as the one that write-locked their VMA. */
function assertNamed(session: Session, { truth, faults }: Gate, syscall: string): void {
  const nameOf = (number: number | null): string => (number === null ? '' : syscallName(number, session.stat.arch));
  const named = retriesOf(faults).filter(
    ({ writer_tid, writer_syscall, writer_exact }) =>
      writer_tid === truth.writer && nameOf(writer_syscall) === syscall && writer_exact === true,
  );
  session.assertCount('the writer is named', named.length, truth.truth);
}

/** Tests, as subtests of `t`, what a session saw of each of the gates. */
export async function assertWriterGates(t: TestContext, session: Session): Promise<void> {
  await t.test('idle: all avoidable, no writer of the mm meanwhile', () => {
    const idle = gate(session, 'idle');
    assertVerdicts(session, idle, ['avoidable']);
    assertWriters(session, idle);
    assert.equal(Number(idle.stall.exactNs ?? idle.stall.boundNs), 0, 'no writer would have stalled');
  });

  await t.test('other: all avoidable, every writer of the mm counted', () => {
    const other = gate(session, 'other');
    assertVerdicts(session, other, ['avoidable']);
    assertWriters(session, other);
    if (other.stall.basis === 'exact') assert.equal(other.stall.exactNs, '0', 'nobody went for this VMA');
    // mprotect and munmap name another one, mmap names none.
    else session.assertCount('may have gone for this VMA', other.stall.writers, CHANGES);
  });

  await t.test('held: all avoidable, and each fallback queues behind the writer', () => {
    const held = gate(session, 'held');
    assertVerdicts(session, held, ['avoidable']);
    assertWriters(session, held);
    const queued = held.faults.filter(({ waits }) =>
      waits.some(
        ({ kind, contended_ns, holder_tid }) =>
          kind === 'mmapLock' && contended_ns !== null && holder_tid === held.truth.holder,
      ),
    );
    session.assertCount('queued behind the holder', queued.length, held.truth.truth);
    const { writers } = session.stat;
    const place = writers.findIndex(({ tgid, name }) => tgid === held.truth.pid && name === 'mprotect');
    assert.ok(place >= 0, `mprotect is not among the ${writers.length} writers`);
    t.diagnostic(`held: mprotect is row ${place + 1} of ${writers.length} writers, in the order of their waits`);
  });

  await t.test('protect: none avoidable, the writer named, its stall within the bound', () => {
    const protect = gate(session, 'protect');
    assertVerdicts(session, protect, ['write-locked']);
    assertWriters(session, protect);
    assertNamed(session, protect, 'mprotect');
    // Had the waiters kept the lock: from the mprotect until the gate's opening let the last of them go.
    const { changed, opened, joined } = protect.truth;
    const stall = Number(protect.stall.exactNs ?? protect.stall.boundNs);
    t.diagnostic(`stall ${stall} ns (${protect.stall.basis}), mprotect to opening ${opened[0] - changed[1]} ns`);
    assert.ok(stall >= opened[0] - changed[1], `${stall} < ${opened[0] - changed[1]}`);
    assert.ok(stall <= joined - changed[0], `${stall} > ${joined - changed[0]}`);
  });

  await t.test('replace: none avoidable, another VMA covers the address', () => {
    const replace = gate(session, 'replace');
    assertVerdicts(session, replace, ['replaced']);
    assertWriters(session, replace);
  });

  await t.test('gone: none avoidable, no VMA covers the address', () => {
    const gone = gate(session, 'gone');
    assertVerdicts(session, gone, ['gone']);
    session.assertSaid('ends', gone.faults, ({ how }) => how, ['error'], gone.truth.truth);
  });
}
