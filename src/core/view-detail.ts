// SPDX-License-Identifier: MIT
/** One lifecycle in full, as lines of text: who, where, each attempt and wait in the order it happened, what is missing. */
import type { Attempt, Interval, Lifecycle, Wait, WaitKind } from './lifecycle.js';
import { formatAddress, formatDuration, formatInterval, formatTime } from './view-format.js';
import { causeOf, heldNow, lasted, lockName } from './view-lifecycle.js';
import { type Line, sanitise, seg } from './view-text.js';

function entry(name: string, ...values: readonly string[]): Line {
  return [
    seg(name.padEnd(12), 'dim'),
    ...values.map((value, i) => seg(i === 0 ? value : `  ${value}`, i === 0 ? 'plain' : 'dim')),
  ];
}

/** A moment as an offset from the first step seen: small numbers that can be compared. */
function offset(moment: Interval, zero: number): string {
  const lo = Number.isFinite(moment.lo) ? signed(moment.lo - zero) : '';
  const hi = Number.isFinite(moment.hi) ? signed(moment.hi - zero) : '';
  if (lo === '' && hi === '') return '?';
  if (lo === hi) return lo;
  return lo === '' ? `≤ ${hi}` : hi === '' ? `≥ ${lo}` : `${lo}…${hi}`;
}

function signed(ns: number): string {
  return ns < 0 ? formatDuration(ns) : `+${formatDuration(ns)}`;
}

function attemptLines(attempt: Attempt, index: number, zero: number): Line[] {
  const head = [
    seg(`${index + 1}. under ${lockName(attempt.lock)}`, 'strong'),
    seg(`  ${attempt.outcome}`, attempt.outcome === 'ok' ? 'good' : 'retry'),
  ];
  if (attempt.cause !== null) head.push(seg(`  because: ${attempt.cause}`));
  const lines: Line[] = [head];
  if (attempt.innermost !== '') lines.push(entry('   from', sanitise(attempt.innermost)));
  lines.push(entry('   acquired', offset(attempt.acquired, zero)));
  const width = attempt.released.hi - attempt.released.lo;
  const rule =
    attempt.rule === 'exact' ? 'seen' : attempt.rule === 'none' ? 'no rule applies' : `derived by ${attempt.rule}`;
  const spread = attempt.rule === 'exact' || !Number.isFinite(width) ? [] : [`known to ${formatDuration(width)}`];
  lines.push(entry('   released', offset(attempt.released, zero), rule, ...spread));
  if (!Number.isNaN(attempt.exactRelease)) lines.push(entry('   seen at', signed(attempt.exactRelease - zero)));
  const held = { lo: attempt.released.lo - attempt.acquired.hi, hi: attempt.released.hi - attempt.acquired.lo };
  lines.push(entry('   held for', formatInterval({ lo: Math.max(0, held.lo), hi: held.hi })));
  if (attempt.flags >= 0)
    lines.push(entry('   flags', `0x${attempt.flags.toString(16)}`, `returned 0x${attempt.ret.toString(16)}`));
  return lines;
}

const WAITS: Readonly<Record<WaitKind, string>> = {
  folio: 'a locked folio',
  mmapLock: 'mmap_lock',
  userfault: 'userfaultfd',
  file: 'a file page',
  shmem: 'a shmem page',
  syncRead: 'a swap read',
  swapin: 'swap readahead',
  fileRead: 'a file read',
  migration: 'a migration',
  reclaim: 'reclaim',
  memcgReclaim: 'memcg reclaim',
};

function waitLine(wait: Wait, zero: number, lifecycle: Lifecycle, now: number): Line {
  const open = Number.isNaN(wait.end);
  const lasts = open && lifecycle.how === 'in-flight';
  const length = lasts
    ? `${formatDuration(now - wait.start)} so far`
    : open
      ? 'end lost'
      : formatDuration(wait.end - wait.start);
  return [
    seg(`for ${WAITS[wait.kind]}`.padEnd(20)),
    seg(length.padStart(16), 'strong'),
    seg(`  from ${signed(wait.start - zero)}`, 'dim'),
    seg(`  holding ${lockName(wait.held)}`),
    seg(wait.kind === 'folio' ? (wait.slept ? '  slept' : '  did not sleep') : '', 'dim'),
  ];
}

/** `now`: the snapshot's time, for what still lasts. Offsets are from the first step seen. */
export function detailLines(lifecycle: Lifecycle, now: number): Line[] {
  const l = lifecycle;
  const pages = (l.vmaEnd - l.vmaStart) / 4096;
  const lines: Line[] = [
    entry('task', `${sanitise(l.comm)}`, `tid ${l.tid}`, `pid ${l.tgid}`, `cgroup ${l.cgroup}`),
    entry('address', formatAddress(l.address), `${l.origin} fault`, `mm ${formatAddress(l.mm)}`),
    entry(
      'VMA',
      `${formatAddress(l.vmaStart)}–${formatAddress(l.vmaEnd)}`,
      `${pages} × 4 KiB`,
      `flags 0x${l.vmFlags.toString(16)}`,
    ),
    entry('began', `${formatTime(l.first)} s`, `first step seen; lasted ${formatInterval(lasted(l, now))}`),
    entry(
      'ended',
      l.how,
      ...(l.how === 'in-flight' ? [l.state, `holds ${lockName(heldNow(l))}`] : []),
      causeOf(l) ?? 'no retry, no abort',
    ),
  ];
  if (l.enteredSwap) lines.push(entry('swap', swapText(l), `pte 0x${l.pte.toString(16)}`));
  if (l.major) lines.push(entry('major', 'yes'));
  if (l.depth > 0) lines.push(entry('nested', `inside ${l.depth} other`));
  lines.push([], [seg('Attempts', 'head')]);
  if (l.attempts.length === 0) lines.push([seg('none seen', 'dim')]);
  l.attempts.forEach((attempt, i) => {
    lines.push(...attemptLines(attempt, i, l.first));
  });
  lines.push([], [seg('Waits', 'head')]);
  if (l.waits.length === 0) lines.push([seg('none', 'dim')]);
  for (const wait of l.waits) lines.push(waitLine(wait, l.first, l, now));
  if (l.lost.length > 0) {
    lines.push([], [seg('Missing', 'head')]);
    for (const what of l.lost) lines.push([seg(`! ${sanitise(what)}`, 'bad')]);
  }
  return lines;
}

function swapText(l: Lifecycle): string {
  if (l.swap === null) return 'device not seen';
  if (l.swap.missing) return 'device gone (swapoff)';
  return `device ${l.swap.type}, ${l.swap.synchronous ? 'synchronous' : 'asynchronous'}`;
}
