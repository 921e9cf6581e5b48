// SPDX-License-Identifier: MIT
/** Workloads each of which has one cause, and what is held against their truth. */
import assert from 'node:assert/strict';
import { MOST_KEPT } from '../../src/core/lifecycle/lifecycle.js';
import { coarserThan } from '../core/coarser.js';
import { isRealTime } from './guest.js';
import { retriesOf, type Session, tally } from './guest-session.js';

interface OneCause {
  cause: string;
  innermost: string;
  verdicts: readonly string[];
  how: string;
}
const AVOIDABLE = { verdicts: ['avoidable'], how: 'ok-mmap' };
const USERFAULT = { innermost: 'handle_userfault', ...AVOIDABLE };
const FILE = { innermost: 'filemap_fault', ...AVOIDABLE };

/** Its faults are woken 200 times before their page is there. */
const WOKEN = 'uffd-gate-4-1-missing-200';

/** Workloads all of whose faults, at their pages, retry once for one cause and end alike. */
export const ONE_CAUSE: Readonly<Record<string, OneCause>> = {
  'busy-anon-8': { cause: 'anon_vma', innermost: '__vmf_anon_prepare', ...AVOIDABLE },
  'busy-hugetlb-8': { cause: 'hugetlb', innermost: '__vmf_anon_prepare', ...AVOIDABLE },
  'secret-32': {
    cause: '->fault needs mmap_lock',
    innermost: 'handle_mm_fault',
    verdicts: ['by design'],
    how: 'completed', // shared and written: fault_dirty_shared_page gives mmap_lock back
  },
  'file-faults-miss-16': { cause: 'file: cache miss', ...FILE },
  'file-faults-readahead-16': { cause: 'file: readahead', ...FILE },
  'file-faults-stale-16': { cause: 'file: not up to date', ...FILE },
  'uffd-gate-8-1-missing': { cause: 'userfault: missing', ...USERFAULT },
  'uffd-gate-8-1-wp': { cause: 'userfault: write-protect', ...USERFAULT },
  'uffd-gate-8-1-minor': { cause: 'userfault: minor', ...USERFAULT },
  [WOKEN]: { cause: 'userfault: missing', ...USERFAULT },
  'punch-4-128': { cause: 'shmem: hole punch', innermost: 'shmem_fault', ...AVOIDABLE },
  'gate-other-8': { cause: 'folio locked: other holder', innermost: '__folio_lock_or_retry', ...AVOIDABLE },
};

/** A kretprobe on filemap_fault there counts 2 RETRYs of that program where 6.18 has 18. */
export const MARK_TAKEN = 'ext4 of 6.16 reads the first pages as one folio: the read itself takes its readahead mark';

/** Of a fault that comes again and again all attempts are counted, and as many are kept as the fold keeps. */
export function assertWokenInVain(session: Session): void {
  const { truth, wakes } = session.truth(WOKEN);
  const faults = session.at(WOKEN).filter(({ lost }) => lost?.includes('attempts in its middle not kept'));
  session.assertCount('faults that came again and again', faults.length, truth);
  for (const { tries, retries, attempts, waits } of faults) {
    assert.deepEqual([attempts.length, waits.length], [MOST_KEPT, MOST_KEPT]);
    session.assertCount('attempts', tries, wakes + 2);
    session.assertCount('attempts that returned RETRY', retries, wakes + 1);
  }
}

export function assertOneCause(session: Session, run: string, kernel: string): void {
  const expected = ONE_CAUSE[run];
  assert.ok(expected);
  const { truth: most, addresses } = session.truth(run);
  const faults = session.at(run);
  const retries = retriesOf(faults);
  // punch counts how often its threads slept: where spinlocks sleep, at least once each for the hole.
  const atLeast = run.startsWith('punch-') && isRealTime(kernel) ? (addresses?.length ?? most) : most;
  const truth = Math.min(most, Math.max(retries.length, atLeast));
  session.assertCount('retries', retries.length, truth);
  const coarser = session.missed === 0 ? [] : coarserThan(expected.cause);
  session.assertSaid('causes', retries, ({ cause }) => String(cause), [expected.cause, ...coarser], truth);
  session.assertSaid('verdicts', retries, ({ verdict }) => String(verdict), expected.verdicts, truth);
  // Whoever meets a migration entry afterwards comes once more, without a RETRY, and waits for it.
  const retried = faults.filter((fault) => retriesOf([fault]).length > 0);
  session.assertSaid('ends', retried, ({ how }) => how, [expected.how], truth);
  const { innermost } = expected;
  const seen = retries.filter((retry) => retry.cause === expected.cause);
  assert.deepEqual(
    tally(seen, (retry) => String(retry.innermost)),
    seen.length === 0 ? {} : { [innermost]: seen.length },
  );
}
