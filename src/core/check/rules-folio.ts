// SPDX-License-Identifier: MIT
/** Rules 8 to 13: filemap_fault and __folio_lock_or_retry with what they return. */
import { VlFile, VlKind } from '../../schema/events.gen.js';
import { type Facts, version } from './facts.js';
import { between, callsOf, countBetween, isFirstTry, type Judged, type Rule, type Say } from './rule.js';
import type { Attempt, Call } from './shape.js';

const FLOR = '__folio_lock_or_retry';

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
    const flags = x.steps[call.enter]?.a ?? 0;
    const ret = x.steps[call.exit]?.b ?? 0;
    // 0: flags not seen (6.4 and 6.5 pass no vm_fault).
    if (flags === 0 || (row !== null && rowOf(flags, x.facts) !== row)) return [];
    return [{ attempt, call, flags, ret }];
  });
}

const releases = (x: Judged, from: number, to: number): number =>
  countBetween(x.steps, from, to, VlKind.VMA_RELEASE) + countBetween(x.steps, from, to, VlKind.MM_RELEASED);

function noErrorWithRetry(x: Judged, say: Say): void {
  const { retry, error } = x.facts.bits;
  for (const step of x.steps) {
    if (step.kind !== VlKind.FILE_EXIT || !(step.a & VlFile.FILEMAP) || !(step.b & retry)) continue;
    if (step.b & error) say.violated('filemap_fault returned RETRY and an error', x.steps.indexOf(step));
    else say.held();
  }
}

function dropsAndRetries(x: Judged, say: Say): void {
  const { bits, exact } = x.facts;
  for (const { call, flags, ret } of folioCalls(x, 'drop')) {
    const vma = (flags & bits.vmaLock) !== 0;
    // Rule 13's matter: under the VMA lock it returned 0.
    if (vma && ret === 0) continue;
    if (ret !== bits.retry) {
      say.violated('a first try came back with something else than RETRY', call.exit);
      continue;
    }
    const seen = countBetween(x.steps, -1, x.steps.length, VlKind.VMA_RELEASE);
    const within = countBetween(x.steps, call.enter, call.exit, VlKind.VMA_RELEASE);
    if (exact && vma && seen > 0 && within === 0)
      say.violated('the VMA lock was not given back inside __folio_lock_or_retry', call.exit);
    else say.held();
  }
}

function nowait(x: Judged, say: Say): void {
  for (const { call, ret } of folioCalls(x, 'nowait')) {
    if (ret !== x.facts.bits.retry) say.violated('a NOWAIT call came back with something else than RETRY', call.exit);
    else if (between(x.steps, call.enter, call.exit, VlKind.FLOR_SLEEP))
      say.violated('a NOWAIT call slept', call.enter + 1);
    else if (releases(x, call.enter, call.exit) > 0)
      say.violated('a NOWAIT call gave the fault lock back', call.enter + 1);
    else say.held();
  }
}

function plain(x: Judged, say: Say): void {
  for (const { call, ret } of folioCalls(x, 'plain')) {
    if (ret !== 0) say.violated('an unkillable later try did not return 0', call.exit);
    else if (releases(x, call.enter, call.exit) > 0)
      say.violated('an unkillable later try gave the fault lock back', call.enter + 1);
    else say.held();
  }
}

function killable(x: Judged, say: Say): void {
  const { retry, vmaLock } = x.facts.bits;
  for (const { call, flags, ret } of folioCalls(x, 'killable')) {
    if (flags & vmaLock) continue; // never: rule 1
    if (ret !== 0 && ret !== retry) say.violated('a later try returned neither 0 nor RETRY', call.exit);
    else if (ret === 0 && releases(x, call.enter, call.exit) > 0)
      say.violated('a later try returned 0 and gave the fault lock back', call.exit);
    else say.held();
  }
}

function neverZero(x: Judged, say: Say): void {
  for (const { call, flags, ret } of folioCalls(x, null)) {
    if (!(flags & x.facts.bits.vmaLock)) continue;
    if (ret === 0) say.violated('__folio_lock_or_retry returned 0 under the VMA lock', call.exit);
    else say.held();
  }
}

export const FOLIO_RULES: readonly Rule[] = [
  {
    number: 8,
    statement: 'filemap_fault never returns RETRY together with an error.',
    hooks: ['filemap_fault'],
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
    premise: 'first try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: dropsAndRetries,
  },
  {
    number: 10,
    statement: '__folio_lock_or_retry with RETRY_NOWAIT returns RETRY without sleeping, the fault lock kept.',
    from: version(6, 6),
    hooks: [FLOR],
    premise: 'call of __folio_lock_or_retry with RETRY_NOWAIT',
    kinds: [VlKind.FLOR_EXIT],
    judge: nowait,
  },
  {
    number: 11,
    statement: '__folio_lock_or_retry on a later try that is not KILLABLE returns 0, the fault lock kept.',
    from: version(6, 6),
    hooks: [FLOR],
    premise: 'unkillable later try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: plain,
  },
  {
    number: 12,
    statement: '__folio_lock_or_retry on a later, KILLABLE try returns 0 with the fault lock kept, or RETRY.',
    from: version(6, 6),
    hooks: [FLOR],
    premise: 'killable later try of __folio_lock_or_retry',
    kinds: [VlKind.FLOR_EXIT],
    judge: killable,
  },
  {
    number: 13,
    statement: '__folio_lock_or_retry never returns 0 under the VMA lock.',
    from: version(6, 6),
    hooks: [FLOR],
    premise: 'call of __folio_lock_or_retry under the VMA lock',
    kinds: [VlKind.FLOR_EXIT],
    judge: neverZero,
  },
];
