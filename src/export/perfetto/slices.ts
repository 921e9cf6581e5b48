// SPDX-License-Identifier: MIT
/** A lifecycle as slices: the fault, its attempts, its waits; and apart from them the locks it held. Pure. */
import type { Attempt, Lifecycle, Wait } from '../../core/lifecycle/lifecycle.js';
import { causeOf } from '../../core/present/lifecycle.js';
import { syscallName } from '../../core/vocabulary/syscalls.js';
import { WAIT_FACTS, type WaitKind } from '../../core/vocabulary/waits.js';
import { known } from '../base/column.js';
import type { Annotations, EventBody } from './packets.js';

export interface Slice extends EventBody {
  readonly start: number;
  readonly end: number;
}

/** A mark on another thread, with the flow that leads from it to a slice of the fault. */
export interface Cause extends EventBody {
  readonly tid: number;
  readonly time: number;
  readonly flow: bigint;
}

export interface FaultSlices {
  /** Outer before inner. */
  readonly work: readonly Slice[];
  readonly locks: readonly Slice[];
  readonly causes: readonly Cause[];
}

/** Slices that do not overlap but by nesting: each ends within the one around it. Order: by start, outer first. */
export function nest(slices: readonly Slice[]): Slice[] {
  const ordered = slices.map((slice, rank) => ({ slice, rank }));
  // What begins together nests by length; what is equal in both, as it came.
  ordered.sort((x, y) => x.slice.start - y.slice.start || y.slice.end - x.slice.end || x.rank - y.rank);
  const around: number[] = [];
  return ordered.map(({ slice }) => {
    while (around.length > 0 && (around.at(-1) as number) <= slice.start) around.pop();
    const end = Math.max(slice.start, Math.min(slice.end, around.at(-1) ?? Number.POSITIVE_INFINITY));
    around.push(end);
    if (end === slice.end) return slice;
    return { ...slice, end, notes: { ...slice.notes, 'lasted (ns)': slice.end - slice.start } };
  });
}

const finite = (...times: readonly number[]): number => times.find((time) => Number.isFinite(time)) ?? Number.NaN;

/**
 * `now`: where a fault that is in flight is cut. `arch`: of the session, for names of system calls. `flow` names flows:
 * never the same twice. `mapping`: what the VMA maps, null when not known.
 */
export function slicesOf(
  lifecycle: Lifecycle,
  now: number,
  arch: string,
  flow: () => bigint,
  mapping: string | null = null,
): FaultSlices {
  const start = finite(lifecycle.start.lo, lifecycle.start.hi, lifecycle.first);
  const over = Number.isFinite(lifecycle.end);
  const end = Math.max(start, over ? lifecycle.end : lifecycle.how === 'in-flight' ? now : lifecycle.last);
  const causes: Cause[] = [];
  const work: Slice[] = [faultSlice(lifecycle, start, end, mapping)];
  const locks: Slice[] = [];
  // Where not all are kept, a wait may be that of an attempt which is not: then an attempt is the time it had its lock.
  const fallbacks = lifecycle.leftOut === null ? lifecycle.waits.filter(({ kind }) => kind === 'mmapLock') : null;

  let from = start;
  for (const [n, attempt] of lifecycle.attempts.entries()) {
    // An attempt under mmap_lock begins when the wait for it is over; each ends where the next wait for it begins.
    const had = fallbacks?.findLast((wait) => wait.end <= attempt.acquired.hi && wait.end >= from);
    if (attempt.lock === 'mmap') from = finite(had?.end ?? Number.NaN, attempt.acquired.hi, from);
    const next =
      fallbacks === null ? finite(attempt.released.hi, from) : fallbacks.find((wait) => wait.start >= from)?.start;
    const until = lifecycle.attempts[n + 1] === undefined ? end : Math.min(end, next ?? end);
    const begin = Math.min(Math.max(from, start), end);
    work.push({ start: begin, end: Math.max(begin, until), ...attemptBody(attempt) });
    const lock = lockSlice(attempt, begin, until);
    if (lock !== null) locks.push(lock);
    from = Math.max(from, until);
  }
  for (const wait of lifecycle.waits) {
    const stop = Math.max(wait.start, finite(wait.end, end));
    work.push({ start: wait.start, end: stop, ...waitBody(wait) });
    const queue = queueSlice(wait, stop, causes, flow);
    if (queue !== null) work.push(queue);
  }
  blameWriters(lifecycle, work, causes, arch, flow);
  return { work: nest(work), locks: nest(locks), causes };
}

function faultSlice(lifecycle: Lifecycle, start: number, end: number, mapping: string | null): Slice {
  const { how, address, mm, origin, vmaStart, vmaEnd, swap, lost, id, major } = lifecycle;
  const located = !Number.isNaN(address);
  return {
    start,
    end,
    name: `fault: ${how}`,
    category: 'fault',
    notes: {
      id,
      cause: causeOf(lifecycle),
      origin,
      address: located ? { hex: address } : null,
      mm: located ? { hex: mm } : null,
      'vma start': located ? { hex: vmaStart } : null,
      'vma end': located ? { hex: vmaEnd } : null,
      mapping,
      major,
      'swap device': swap?.type ?? null,
      'swap synchronous': swap?.synchronous ?? null,
      lost: lost.join('; ') || null,
      'cut by the end of the recording': how === 'in-flight' ? true : null,
    },
  };
}

function attemptBody(attempt: Attempt): EventBody {
  const { lock, outcome, cause, innermost, verdict, flags, ret } = attempt;
  return {
    name: `${lock === 'vma' ? 'VMA lock' : 'mmap_lock'}: ${outcome}`,
    category: 'attempt',
    notes: {
      cause,
      innermost: innermost || null,
      verdict: verdict?.kind ?? null,
      'verdict unknown because': verdict?.why || null,
      'mm writers meanwhile': verdict === null || verdict.mmWriters < 0 ? null : verdict.mmWriters,
      flags: flags < 0 ? null : { hex: flags },
      vm_fault_t: ret < 0 ? null : { hex: ret },
    },
  };
}

/** From when it was held for sure until it may have been given back; null when it was not taken. */
function lockSlice(attempt: Attempt, begin: number, until: number): Slice | null {
  if (attempt.outcome === 'abort') return null;
  const { acquired, released, rule } = attempt;
  const start = finite(acquired.hi, begin);
  const end = Math.max(start, finite(released.lo, until));
  return {
    start,
    end,
    name: attempt.lock === 'vma' ? 'VMA lock held' : 'mmap_lock held (read)',
    category: 'lock',
    notes: {
      'release rule': rule,
      'release at most later by (ns)': known(released.hi - end),
      'had earlier by up to (ns)': known(start - acquired.lo),
    },
  };
}

const waitName = (kind: WaitKind): string => `wait: ${WAIT_FACTS[kind].title}`;

function waitBody(wait: Wait): EventBody {
  const notes: Annotations = {
    'lock held': wait.held,
    slept: wait.kind === 'folio' || wait.kind === 'file' ? wait.slept : null,
    'its end was not seen': Number.isFinite(wait.end) ? null : true,
  };
  return { name: waitName(wait.kind), category: 'wait', notes };
}

/**
 * The part of a wait for mmap_lock spent in its queue, and whom the lock named as its holder. With readers that is the
 * one that came last, which may be gone (rwsem_owner in kernel/locking/rwsem.c).
 */
function queueSlice(wait: Wait, end: number, causes: Cause[], flow: () => bigint): Slice | null {
  if (!Number.isFinite(wait.contended)) return null;
  const body: EventBody = {
    name: 'queued for mmap_lock',
    category: 'wait',
    notes: { 'holder tid': wait.holder || null },
  };
  const start = wait.contended;
  if (wait.holder === 0) return { start, end: Math.max(start, end), ...body };
  const id = flow();
  causes.push({
    tid: wait.holder,
    time: start,
    flow: id,
    name: 'named as holder of mmap_lock: another task waits',
    category: 'holder',
  });
  return { start, end: Math.max(start, end), ...body, flowEnd: id };
}

/** Who write-locked the VMA, or its mm, between a RETRY and its fallback: a flow into the wait for mmap_lock. */
function blameWriters(lifecycle: Lifecycle, work: Slice[], causes: Cause[], arch: string, flow: () => bigint): void {
  for (const attempt of lifecycle.attempts) {
    const writer = attempt.verdict?.writer;
    if (!writer) continue;
    const at = work.findIndex(({ name, start }) => name === waitName('mmapLock') && start >= attempt.acquired.hi);
    const wait = work[at];
    if (wait === undefined) continue;
    const id = flow();
    work[at] = { ...wait, flowEnd: id, notes: { ...wait.notes, 'writer tid': writer.tid } };
    const name = writer.exact
      ? 'had write-locked a VMA that a fault retried on'
      : 'latest writer of the mm at a fallback';
    const notes = { 'system call': syscallName(writer.syscall, arch) };
    causes.push({ tid: writer.tid, time: wait.start, flow: id, name, category: 'writer', notes });
  }
}
