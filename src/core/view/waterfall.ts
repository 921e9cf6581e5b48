// SPDX-License-Identifier: MIT
/** One lifecycle in full: a waterfall of locks and waits, then who, where, each attempt in words, and what is missing. */

import type { Snapshot } from '../aggregate/snapshot.js';
import { faultFlagWords, faultResultWords } from '../events/fault-bits.js';
import type { KernelEnums } from '../events/session.js';
import { vmaKey } from '../events/vma-names.js';
import type { Attempt, Interval, Lifecycle, Verdict, Wait } from '../lifecycle/lifecycle.js';
import { formatAddress, formatCount, formatDuration, formatInterval, formatTime } from '../present/format.js';
import { causeOf, lasted, lockName, placeOf, triesOf } from '../present/lifecycle.js';
import { type Line, sanitise, seg, wrapLine } from '../present/text.js';
import { flagWords, VERDICT_STYLES } from '../present/words.js';
import { WAIT_FACTS } from '../vocabulary/waits.js';
import { LEGEND, timespan } from './timespan.js';

/** What names the numbers of a fault. */
export interface NamedBy {
  /** Fault handlers, as a snapshot has them. */
  readonly handlers: Snapshot['handlers'];
  /** What VMAs map, likewise. */
  readonly mappings: Snapshot['mappings'];
  /** The session's kernel's, by which flags and results are read. */
  readonly enums: KernelEnums;
}

const NAMELESS: NamedBy = { handlers: [], mappings: {}, enums: { faultFlags: {}, faultReasons: {} } };

export function namedBy({ handlers, mappings, session }: Snapshot): NamedBy {
  return { handlers, mappings, enums: session.enums };
}

function entry(name: string, ...values: readonly string[]): Line {
  return [
    seg(`${name.padEnd(11)} `, 'dim'),
    ...values.map((value, i) => seg(i === 0 ? value : `  ${value}`, i === 0 ? 'plain' : 'dim')),
  ];
}

/** An entry that is too long goes on below its first value. */
function hang(line: Line, width: number): Line[] {
  const [first = [], ...rest] = wrapLine(line, width);
  return [first, ...rest.map((more) => [seg(' '.repeat(12)), ...more])];
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

/** What the fallback found, against what the attempt had. */
function verdictLine({ kind, why, mmWriters, writer }: Verdict): Line {
  const words: string[] = [];
  if (why !== '') words.push(sanitise(why));
  if (mmWriters >= 0)
    words.push(mmWriters === 0 ? 'no writer meanwhile' : `${formatCount(mmWriters)} writers meanwhile`);
  if (writer !== null) words.push(`${writer.exact ? 'by' : 'latest'} tid ${writer.tid}`);
  return [seg('   verdict  ', 'dim'), seg(kind, VERDICT_STYLES[kind]), seg(words.map((w) => `  ${w}`).join(''), 'dim')];
}

function attemptLines(attempt: Attempt, index: number, zero: number, { handlers, enums }: NamedBy): Line[] {
  const head = [
    seg(`${index + 1}. under ${lockName(attempt.lock)}`, 'strong'),
    seg(`  ${attempt.outcome}`, attempt.outcome === 'ok' ? 'good' : 'retry'),
  ];
  if (attempt.cause !== null) head.push(seg(`  because: ${attempt.cause}`));
  const lines: Line[] = [head];
  if (attempt.verdict !== null) lines.push(verdictLine(attempt.verdict));
  if (attempt.innermost !== '') lines.push(entry('   from', sanitise(attempt.innermost)));
  if (attempt.outcome === 'abort') return lines;
  lines.push(entry('   acquired', offset(attempt.acquired, zero)));
  const width = attempt.released.hi - attempt.released.lo;
  const rule =
    attempt.rule === 'exact' ? 'seen' : attempt.rule === 'none' ? 'no rule applies' : `derived by ${attempt.rule}`;
  const spread = attempt.rule === 'exact' || !Number.isFinite(width) ? [] : [`known to ${formatDuration(width)}`];
  lines.push(entry('   released', offset(attempt.released, zero), rule, ...spread));
  if (!Number.isNaN(attempt.exactRelease)) lines.push(entry('   seen at', signed(attempt.exactRelease - zero)));
  const held = { lo: attempt.released.lo - attempt.acquired.hi, hi: attempt.released.hi - attempt.acquired.lo };
  lines.push(entry('   held for', formatInterval({ lo: Math.max(0, held.lo), hi: held.hi })));
  if (attempt.faultHandler !== 0n) {
    const { faultHandler: address } = attempt;
    const name = handlers.find((handler) => handler.address === address)?.name ?? '';
    lines.push(entry('   ->fault', name === '' ? 'name not known' : sanitise(name), `0x${address.toString(16)}`));
  }
  if (attempt.flags >= 0) {
    // A line each: together they are wider than 80 columns.
    lines.push(entry('   flags', faultFlagWords(attempt.flags, enums)));
    lines.push(entry('   returned', faultResultWords(attempt.ret, enums)));
  }
  return lines;
}

/** What the waterfall does not show of a wait. */
function waitNotes(wait: Wait): Line[] {
  const words: string[] = [];
  if (wait.kind === 'folio' || wait.kind === 'file' || wait.kind === 'shmem')
    words.push(wait.slept ? 'slept' : 'was not seen to sleep');
  if (!Number.isNaN(wait.contended)) {
    const queued = wait.end - wait.contended;
    words.push(Number.isNaN(queued) ? 'queues since its trylock failed' : `queued ${formatDuration(queued)} of it`);
  }
  if (wait.holder !== 0) words.push(`found tid ${wait.holder} holding it`);
  return words.length === 0 ? [] : [entry(WAIT_FACTS[wait.kind].title, words.join(', '))];
}

/** `now`: the snapshot's time, for what still lasts. Offsets are from the first step seen. */
export function detailLines(lifecycle: Lifecycle, now: number, width: number, names: NamedBy = NAMELESS): Line[] {
  const l = lifecycle;
  const mapping = names.mappings[vmaKey(l.mm, l.vmaStart)];
  const pages = (l.vmaEnd - l.vmaStart) / 4096;
  const lines: Line[] = [
    [],
    entry('task', `${sanitise(l.comm)}`, `tid ${l.tid}`, `pid ${l.tgid}`, `cgroup ${l.cgroup}`),
    entry('address', formatAddress(l.address), `${l.origin} fault`, `mm ${formatAddress(l.mm)}`),
    entry('VMA', `${formatAddress(l.vmaStart)}–${formatAddress(l.vmaEnd)}`, `${pages} × 4 KiB`, flagWords(l.vmFlags)),
    ...(mapping === undefined ? [] : [entry('mapping', sanitise(mapping))]),
    entry('began', `${formatTime(l.first)} s`, `first step seen; lasted ${formatInterval(lasted(l, now))}`),
    entry(
      l.how === 'in-flight' ? 'now' : 'ended',
      l.how,
      ...(l.how === 'in-flight' ? [l.state] : []),
      causeOf(l) ?? 'no retry, no abort',
    ),
  ];
  if (l.enteredSwap) lines.push(entry('swap', swapText(l), `pte 0x${l.pte.toString(16)}`));
  if (l.major) lines.push(entry('major', 'yes'));
  if (l.depth > 0) lines.push(entry('nested', `inside ${l.depth} other`));
  const kept = triesOf(l) === l.attempts.length ? '' : `  the first and the last of ${triesOf(l)}`;
  lines.push([], [seg('Attempts', 'head'), seg(kept, 'dim')]);
  if (l.attempts.length === 0) lines.push([seg('none seen', 'dim')]);
  l.attempts.forEach((attempt, i) => {
    lines.push(...attemptLines(attempt, placeOf(l, 'attempts', i), l.first, names));
  });
  const notes = l.waits.flatMap(waitNotes);
  if (notes.length > 0) lines.push([], [seg('Waits', 'head')], ...notes);
  if (l.lost.length > 0) {
    lines.push([], [seg('Missing', 'head')]);
    for (const what of l.lost) lines.push([seg(`! ${sanitise(what)}`, 'bad')]);
  }
  return [...timespan(l, now, width), [seg(LEGEND, 'dim')], ...lines.flatMap((line) => hang(line, width))];
}

function swapText(l: Lifecycle): string {
  if (l.swap === null) return 'device not seen';
  if (l.swap.missing) return 'device gone (swapoff)';
  return `device ${l.swap.type}, ${l.swap.synchronous ? 'synchronous' : 'asynchronous'}`;
}
