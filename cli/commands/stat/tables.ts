// SPDX-License-Identifier: MIT
/** Blocks of `stat` on what lies behind the retries: verdicts, the mmap_lock table, writers, swap devices. Pure. */

import {
  DECADE_TITLES,
  MMAP_LOCK_HOOK,
  MMAP_QUEUE_HOOKS,
  OTHER_USERS,
  whyNotHooked,
} from '../../../src/core/aggregate/mmap-lock.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import type { MmapLockSide, StallSums } from '../../../src/core/aggregate/snapshot-rows.js';
import { cgroupFields } from '../../../src/core/present/fields/cgroup.js';
import { processFields } from '../../../src/core/present/fields/process.js';
import { vmaFields } from '../../../src/core/present/fields/vma.js';
import { writerFields } from '../../../src/core/present/fields/writer.js';
import { formatDuration, formatExact, formatShare } from '../../../src/core/present/format.js';
import { sanitise } from '../../../src/core/present/text.js';
import { whyNoWait } from '../../../src/core/present/wait-hooks.js';
import type { VerdictKind } from '../../../src/core/vocabulary/verdicts.js';
import { WAIT_FACTS, WAIT_NAMES } from '../../../src/core/vocabulary/waits.js';
import { count, fieldTable, remark, row, table, wait } from './rows.js';

const MAX_WRITERS = 8;
const MAX_PROCESSES = 8;
const MAX_STACKS = 3;
const MAX_FRAMES = 12;
const LISTED_WIDTH = 100;

/** `write-locked 3, replaced 1`: what there is of them, most first. */
function parts(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, times]) => times > 0)
    .sort(([x, m], [y, n]) => n - m || (x < y ? -1 : 1))
    .map(([what, times]) => `${what} ${formatExact(times)}`)
    .join(', ');
}

/** Of the retries that were followed: which could have stayed under the VMA lock, and what either way would have cost. */
export function verdicts({ counterfactual, retry, events }: Snapshot): string[] {
  const { all } = counterfactual;
  if (all.retries === 0) return [];
  const { avoidable, unknown, ...not } = all.verdicts satisfies Record<VerdictKind, number>;
  const share = (n: number): string => formatShare(n / all.retries);
  const lines = [remark(`of ${formatExact(all.retries)} retries followed:`)];
  if (unknown < all.retries) {
    const busy = all.avoidableBusy > 0 ? `, ${formatExact(all.avoidableBusy)} while other writers held the mm` : '';
    lines.push(row(formatExact(avoidable), 'avoidable', `${share(avoidable)}${busy}`));
    lines.push(row(formatExact(retry.notAvoidable), 'not avoidable', retry.notAvoidable > 0 ? parts(not) : ''));
  }
  if (unknown > 0) lines.push(row(formatExact(unknown), 'avoidable or not is unknown', parts(all.unknownWhy)));
  if (avoidable > 0) {
    const { savedNs, lookupNs } = all;
    const label = 'saved: they queued for mmap_lock';
    if (savedNs === null) lines.push(row('?', label, `neither ${MMAP_QUEUE_HOOKS.join(' nor ')} is hooked`));
    else lines.push(row(formatDuration(savedNs), label));
    lines.push(
      row(formatDuration(lookupNs), `in lock_mm_and_find_vma, ${savedNs === null ? 'queued or not' : 'not queued'}`),
    );
  }
  const lost = (events.perKind.W_VMA?.dropped ?? 0) + (events.perKind.W_ACQUIRED?.dropped ?? 0);
  return [...lines, ...stall(all.stall, lost)];
}

/** `lost`: records of writers that the ring had no room for. */
function stall({ basis, exactNs, boundNs, writers: times, unknown }: StallSums, lost: number): string[] {
  const label = 'writer stall, had the lock stayed';
  if (basis === 'none') return [row('?', label, `neither ${MMAP_LOCK_HOOK} nor __vma_start_write is hooked`)];
  const exact = basis === 'exact';
  const notes = [`${exact ? 'exact' : 'at most'}, writers ${formatExact(times)}`];
  if (exact && boundNs > exactNs) notes.push(`at most ${formatDuration(boundNs)} by mmap_lock alone`);
  if (unknown > 0) notes.push(`${formatExact(unknown)} waits not bounded, left out`);
  if (lost > 0) notes.push(`${formatExact(lost)} records of writers dropped`);
  return [row(formatDuration(exact ? exactNs : boundNs), label, notes.join('; '))];
}

export function waits({ session, waits: all, held, swap }: Snapshot): string[] {
  const seen = WAIT_NAMES.filter((name) => all[name].count > 0 || WAIT_FACTS[name].always);
  const unseen = WAIT_NAMES.filter((name) => !seen.includes(name) && whyNoWait(session, name) !== '');
  const lines = seen.map((name) => {
    const { of, title } = WAIT_FACTS[name];
    const label = of === 'part' ? `  of these: ${title}` : `waits: ${title}`;
    return all[name].count === 0 && whyNoWait(session, name) !== '' ? row('?', label) : wait(all[name], label);
  });
  for (const lock of ['vma', 'mmap', 'none', 'unknown'] as const)
    if (held[lock].count > 0) lines.push(wait(held[lock], HELD[lock]));
  const names = unseen.map((name) => WAIT_FACTS[name].title);
  if (names.length > 0) lines.push(...listed('waits not hooked here, so not known:', names));
  // A synchronous read is no reason to follow a fault.
  if (swap.counted.total > 0)
    lines.push(remark(`of followed faults: ${formatExact(swap.counted.total)} ordinary swap faults were counted only`));
  return lines;
}

/** `what` and the names, as many to a line as there is room for. */
function listed(what: string, names: readonly string[]): string[] {
  const lines = [what];
  names.forEach((name, i) => {
    const text = `${name}${i < names.length - 1 ? ',' : ''}`;
    if (`${lines.at(-1)} ${text}`.length > LISTED_WIDTH) lines.push(`  ${text}`);
    else lines[lines.length - 1] += ` ${text}`;
  });
  return lines.map((line) => remark(line));
}

const HELD = {
  vma: 'waits with the VMA lock held',
  mmap: 'waits with mmap_lock held',
  none: 'waits with no lock held',
  unknown: 'waits, lock held not known',
} as const;

/** As mm developers paste it into mails: plain ASCII. */
export function mmapLock({ session, mmapLock: lock }: Snapshot): string[] {
  if (!lock.known) return [row('?', 'mmap_lock acquisitions', sanitise(whyNotHooked(session, MMAP_LOCK_HOOK)))];
  const side = (name: string, { acquired, waitNs, decades }: MmapLockSide): string[] => [
    name,
    ...DECADE_TITLES.map((_, i) => formatExact(decades[i] ?? 0)),
    formatExact(acquired),
    ascii(formatDuration(waitNs)),
  ];
  return [
    ...table([
      ['mmap_lock', ...DECADE_TITLES, 'acquired', 'waited'],
      side('read', lock.read),
      side('write', lock.write),
    ]),
    ` ${formatExact(lock.tryFailed)} trylocks for read failed`,
  ];
}

function ascii(text: string): string {
  return text.replace('µ', 'u');
}

export function writers({ writers: all }: Snapshot): string[] {
  return fieldTable('writers that waited or met a retry', all, writerFields, MAX_WRITERS);
}

/** What identifies a VMA, and what its faults cost; the rest is in --json and the dashboard. */
const VMA_SUMMARY = [
  'pid',
  'comm',
  'range',
  'mapping',
  'retries',
  'aborts',
  'folioWait',
  'mmapWait',
  'otherWait',
  'worst',
];

export function vmas({ vmas: all, totals }: Snapshot): string[] {
  const fields = vmaFields.filter(({ id }) => VMA_SUMMARY.includes(id));
  return fieldTable('VMAs, by retries and aborts', all, fields, MAX_PROCESSES, totals.vmas);
}

export function processes({ processes: all }: Snapshot): string[] {
  return fieldTable('processes, by retries', all, processFields, MAX_PROCESSES);
}

/** Of one cgroup alone there is nothing to compare. */
export function cgroups({ cgroups: all }: Snapshot): string[] {
  return all.length < 2 ? [] : fieldTable('cgroups, by retries', all, cgroupFields, MAX_PROCESSES);
}

/** Where most retries and aborts came from, kernel frames first. */
export function stacks({ causeStacks, stacks: known }: Snapshot): string[] {
  const frames = (id: number, what: string): string[] => {
    if (id < 0) return [];
    const all = known[id] ?? [`${what} stack ${id}, its frames not known`];
    const more = all.length > MAX_FRAMES ? [`… ${all.length - MAX_FRAMES} more`] : [];
    return [...all.slice(0, MAX_FRAMES), ...more].map((frame) => remark(`  ${sanitise(frame)}`));
  };
  return causeStacks
    .slice(0, MAX_STACKS)
    .flatMap(({ cause, count: times, kernel, user }) => [
      row(formatExact(times), `from one stack: ${cause}`),
      ...frames(kernel, 'kernel'),
      ...frames(user, 'user'),
    ]);
}

export function swapping({ swap, progress }: Snapshot): string[] {
  const lines = [
    row(
      swap.faults === null ? '?' : formatExact(swap.faults),
      'swap faults',
      swap.faults === null ? 'short ones are not followed (--min-us)' : 'each once',
    ),
    row(
      formatExact(swap.calls),
      'do_swap_page calls',
      `synchronous ${formatExact(swap.synchronous)}, asynchronous ${formatExact(swap.asynchronous)}`,
    ),
    row(
      formatExact(swap.lockOrRetry.calls),
      '__folio_lock_or_retry calls',
      `retry ${formatExact(swap.lockOrRetry.retry)}, locked ${formatExact(swap.lockOrRetry.locked)}`,
    ),
  ];
  if (swap.counted.total > 0)
    lines.push(
      row(
        formatExact(swap.counted.total),
        'of those counted and not followed',
        `${formatExact(swap.sampled)} more for a sample`,
      ),
    );
  for (const device of swap.devices) {
    const name = device.name === '' ? `device ${device.type}` : sanitise(device.name);
    const notes = [device.synchronous ? 'synchronous' : 'asynchronous', `MAJOR ${formatExact(device.reads)}`];
    notes.push(`retries ${formatExact(device.retries)}`);
    if (device.folioWait.count > 0) notes.push(`folio waits p99 ${formatDuration(device.folioWait.p99Ns)}`);
    if (device.syncRead.count > 0) notes.push(`synchronous reads p99 ${formatDuration(device.syncRead.p99Ns)}`);
    lines.push(row(formatExact(device.faults), `faults on swap ${name}`, notes.join(', ')));
  }
  if ((progress.refaults ?? 0) > 0)
    lines.push(row(formatExact(progress.refaults ?? 0), 'refaults within 1 s of the last'));
  if (progress.again > 0) {
    const most = `${formatExact(progress.pagesAgain)} pages, one of them ${formatExact(progress.mostRetries)} times`;
    lines.push(row(formatExact(progress.again), 'retries of a page that had retried', most));
  }
  if (progress.largestHerd > 0)
    lines.push(row(formatExact(progress.largestHerd), 'faults at most on one locked folio'));
  else if (progress.folioUnknown > 0)
    lines.push(row('?', 'faults at most on one locked folio', 'which folio it was is not recorded'));
  return lines;
}

export function others({ otherUsers }: Snapshot): string[] {
  const known = OTHER_USERS.filter(([user]) => otherUsers[user] !== null);
  const unknown = OTHER_USERS.filter(([user]) => otherUsers[user] === null);
  const lines = known.map(([user, , , title]) => count(otherUsers[user] ?? 0, `VMA locks by ${title}`));
  const names = unknown.map(([, , , title]) => title);
  if (names.length > 0) lines.push(...listed('VMA locks no hook counts here:', names));
  return lines;
}
