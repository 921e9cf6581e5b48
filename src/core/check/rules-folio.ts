// SPDX-License-Identifier: MIT
/** Rules 8 to 13: filemap_fault and __folio_lock_or_retry with what they return. */
import { VlArgs, VlFile, VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import type { Call } from './calls.js';
import { type Facts, version } from './facts.js';
import { between, callsOf, countBetween, isFirstTry, type Judged, type Rule, type Say, type Sight } from './rule.js';
import type { Attempt } from './shape.js';

const FLOR = '__folio_lock_or_retry';
const SWAP = 'do_swap_page';
const LOCK = 'lock_mm_and_find_vma';

const RESULT: Sight = { shows: 'what it returned', hooks: [SWAP, FLOR] };
const KEPT: Sight = {
  shows: 'a release of mmap_lock between its entry and its return',
  hooks: [LOCK, FLOR, 'mmap_lock_released'],
  silent: 'fault',
};

type Row = 'drop' | 'nowait' | 'killable' | 'plain';

/** The four rows of __folio_lock_or_retry (mm/filemap.c), by vmf->flags. */
function rowOf(flags: number, facts: Facts): Row {
  if (isFirstTry(flags, facts)) return flags & facts.bits.nowait ? 'nowait' : 'drop';
  return flags & facts.flag('KILLABLE') ? 'killable' : 'plain';
}

interface FolioCall {
  readonly attempt: Attempt;
  readonly call: Call;
  readonly flags: number;
  readonly ret: number;
}

function folioCalls(x: Judged, row: Row | null): readonly FolioCall[] {
  return callsOf(x, 'flor').flatMap(([attempt, call]) => {
    const flags = x.steps[call.enter]?.[VlSharedArgs.flags] ?? 0;
    const ret = x.steps[call.exit]?.[VlSharedArgs.ret] ?? 0;
    // 0: flags not seen (6.4 and 6.5 pass no vm_fault).
    if (flags === 0 || (row !== null && rowOf(flags, x.facts) !== row)) return [];
    return [{ attempt, call, flags, ret }];
  });
}

const releases = (x: Judged, from: number, to: number): number =>
  countBetween(x.steps, from, to, VlKind.VMA_RELEASE) + countBetween(x.steps, from, to, VlKind.MM_RELEASED);

/** That mmap_lock is kept is seen only of a fault that had it from lock_mm_and_find_vma. */
const NOT_ITS_OWN = 'it had mmap_lock otherwise than by lock_mm_and_find_vma: a release of it is not seen';

function kept(attempt: Attempt, say: Say, ...sights: string[]): void {
  if (attempt.locked >= 0) say.held(...sights);
  else say.unseen(NOT_ITS_OWN);
}

function noErrorWithRetry(x: Judged, say: Say): void {
  const { retry, error } = x.facts.bits;
  for (const step of x.steps) {
    const [file, ret] = [step[VlArgs.FILE_EXIT.file], step[VlArgs.FILE_EXIT.ret]];
    if (step.kind !== VlKind.FILE_EXIT || !(file & VlFile.FILEMAP) || !(ret & retry)) continue;
    if (ret & error) say.violated('filemap_fault returned RETRY and an error', x.steps.indexOf(step));
    else say.held();
  }
}

function dropsAndRetries(x: Judged, say: Say): void {
  const { bits, exact } = x.facts;
  for (const { attempt, call, flags, ret } of folioCalls(x, 'drop')) {
    const vma = (flags & bits.vmaLock) !== 0;
    // Rule 13's matter: under the VMA lock it returned 0.
    if (vma && ret === 0) continue;
    if (ret !== bits.retry) {
      say.violated('a first try came back with something else than RETRY', call.exit);
      continue;
    }
    const kind = vma ? VlKind.VMA_RELEASE : VlKind.MM_RELEASED;
    if (between(x.steps, call.enter, call.exit, kind)) say.held('result', vma ? 'vma' : 'mmap');
    else if (vma && exact) say.violated('the VMA lock was not given back inside __folio_lock_or_retry', call.exit);
    else if (vma) say.held('result', 'vma');
    else if (attempt.locked < 0) say.unseen(NOT_ITS_OWN);
    else if (!x.facts.attached('mmap_lock_released')) say.held('result', 'mmap');
    else say.violated('mmap_lock was not given back inside __folio_lock_or_retry', call.exit);
  }
}

function nowait(x: Judged, say: Say): void {
  for (const { attempt, call, ret } of folioCalls(x, 'nowait')) {
    if (ret !== x.facts.bits.retry) say.violated('a NOWAIT call came back with something else than RETRY', call.exit);
    else if (between(x.steps, call.enter, call.exit, VlKind.FLOR_SLEEP))
      say.violated('a NOWAIT call slept', call.enter + 1);
    else if (releases(x, call.enter, call.exit) > 0)
      say.violated('a NOWAIT call gave the fault lock back', call.enter + 1);
    else kept(attempt, say);
  }
}

function plain(x: Judged, say: Say): void {
  for (const { attempt, call, ret } of folioCalls(x, 'plain')) {
    if (ret !== 0) say.violated('an unkillable later try did not return 0', call.exit);
    else if (releases(x, call.enter, call.exit) > 0)
      say.violated('an unkillable later try gave the fault lock back', call.enter + 1);
    else kept(attempt, say);
  }
}

function killable(x: Judged, say: Say): void {
  const { retry, vmaLock } = x.facts.bits;
  for (const { attempt, call, flags, ret } of folioCalls(x, 'killable')) {
    if (flags & vmaLock) continue; // never: rule 1
    if (ret !== 0 && ret !== retry) say.violated('a later try returned neither 0 nor RETRY', call.exit);
    else if (ret === 0 && releases(x, call.enter, call.exit) > 0)
      say.violated('a later try returned 0 and gave the fault lock back', call.exit);
    else if (ret === 0) kept(attempt, say);
    else say.held('result');
  }
}

function neverZero(x: Judged, say: Say): void {
  for (const { call, flags, ret } of folioCalls(x, null)) {
    if (!(flags & x.facts.bits.vmaLock)) continue;
    if (ret !== 0) say.held();
    else {
      say.found('waits for a folio that kept the VMA lock');
      say.violatedUnless('keep-vma', '__folio_lock_or_retry returned 0 under the VMA lock', call.exit);
    }
  }
}

export const FOLIO_RULES: readonly Rule[] = [
  {
    number: 8,
    statement: 'filemap_fault never returns RETRY together with an error.',
    hooks: ['filemap_fault'],
    sees: { result: { shows: 'what filemap_fault returned', hooks: ['filemap_fault'] } },
    premise: 'RETRY of filemap_fault',
    kinds: [VlKind.FILE_EXIT],
    judge: noErrorWithRetry,
  },
  {
    number: 9,
    statement:
      '__folio_lock_or_retry on a first try returns RETRY and nothing else, having given the fault lock back inside.',
    from: version(6, 6),
    hooks: [FLOR],
    sees: {
      result: RESULT,
      vma: {
        shows: 'no release of the VMA lock between its entry and its return',
        hooks: [SWAP, FLOR, 'up_read'],
        options: ['release observed'],
      },
      mmap: {
        shows: 'no release of mmap_lock between its entry and its return',
        hooks: [LOCK, FLOR, 'mmap_lock_released'],
      },
    },
    premise: 'first try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: dropsAndRetries,
  },
  {
    number: 10,
    statement: '__folio_lock_or_retry with RETRY_NOWAIT returns RETRY without sleeping, the fault lock kept.',
    from: version(6, 6),
    hooks: [FLOR],
    sees: {
      result: RESULT,
      sleep: { shows: 'a sleep in it', hooks: [FLOR, 'io_schedule'], silent: 'fault' },
      kept: KEPT,
    },
    premise: 'call of __folio_lock_or_retry with RETRY_NOWAIT',
    kinds: [VlKind.FLOR_EXIT],
    judge: nowait,
  },
  {
    number: 11,
    statement: '__folio_lock_or_retry on a later try that is not KILLABLE returns 0, the fault lock kept.',
    from: version(6, 6),
    hooks: [FLOR],
    sees: { result: RESULT, kept: KEPT },
    premise: 'unkillable later try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: plain,
  },
  {
    number: 12,
    statement: '__folio_lock_or_retry on a later, KILLABLE try returns 0 with the fault lock kept, or RETRY.',
    from: version(6, 6),
    hooks: [FLOR],
    sees: { result: RESULT, kept: KEPT },
    premise: 'killable later try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: killable,
  },
  {
    number: 13,
    statement: '__folio_lock_or_retry never returns 0 under the VMA lock.',
    from: version(6, 6),
    hooks: [FLOR],
    sees: { result: RESULT },
    premise: 'call of __folio_lock_or_retry under the VMA lock',
    kinds: [VlKind.FLOR_EXIT],
    judge: neverZero,
  },
];
