// SPDX-License-Identifier: MIT
/** The blocks of `stat`, in words and as JSON, on who blocked whom over mmap_lock. Pure. */
import type { BlockerRow, WaitedFor } from '../../../src/core/aggregate/blocker-rows.js';
import { whyNoBlockers, whyNoVmaWaits } from '../../../src/core/aggregate/mmap-lock.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import { blockerFields, lockNowFields, victimFields } from '../../../src/core/present/fields/blocker.js';
import { jsonOf } from '../../../src/core/present/fields/field.js';
import { formatDuration, formatExact } from '../../../src/core/present/format.js';
import { hex, u64, wait as waitJson } from '../../../src/core/present/json-values.js';
import { sanitise } from '../../../src/core/present/text.js';
import { NO_HOLDER, NO_VMA_HOLDER, type NoHolder, type NoVmaHolder } from '../../../src/core/vocabulary/lock-users.js';
import { fieldTable, remark, row, wait } from './rows.js';

const MAX_BLOCKERS = 8;
const MAX_VICTIMS = 4;
const MAX_NOW = 8;
const MAX_JSON = 50;

const REASONS: Readonly<Record<NoHolder | NoVmaHolder, string>> = { ...NO_HOLDER, ...NO_VMA_HOLDER };

function named<Why extends NoHolder | NoVmaHolder>(
  label: string,
  { waits, named: with_, why, free }: WaitedFor<Why>,
): string[] {
  if (waits.count === 0) return [row('0', label)];
  const without = Object.entries<number>(why).filter(([, times]) => times > 0);
  return [
    wait(waits, label),
    row(
      formatExact(with_),
      '  with a holder',
      without.map(([key, times]) => `${key} ${formatExact(times)}`).join(', '),
    ),
    ...(free > 0 ? [row(formatExact(free), '  beside these: had at once', 'others queued, nobody held it')] : []),
    ...without.map(([key]) => remark(`  ${key}: ${REASONS[key as Why]}`)),
  ];
}

function victimsOf(blocker: BlockerRow): string[] {
  const { victims } = blocker;
  if (victims.length === 0) return [];
  const shown = victims.slice(0, MAX_VICTIMS).map((victim) => {
    const who = `${sanitise(victim.comm)} ${victim.tgid} ${sanitise(victim.what)}`;
    const times = `${formatExact(victim.waits)} for ${formatDuration(victim.sumNs)}, at most ${formatDuration(victim.maxNs)}`;
    return remark(`  ${who} (${victim.isWrite ? 'write' : 'read'}): ${times}`);
  });
  const more = victims.length > MAX_VICTIMS ? [remark(`  and ${formatExact(victims.length - MAX_VICTIMS)} more`)] : [];
  const by = `${sanitise(blocker.comm)} ${blocker.tgid} ${sanitise(blocker.what)}`;
  return [
    remark(`behind ${by} (${blocker.lock === 'vma' ? 'VMA' : blocker.isWrite ? 'write' : 'read'}):`),
    ...shown,
    ...more,
  ];
}

export function blockers(snapshot: Snapshot): string[] {
  const { known, rows, all, faults, vma, now } = snapshot.blockers;
  if (!known) return [row('?', 'who blocked whom over mmap_lock', sanitise(whyNoBlockers(snapshot.session)))];
  return [
    ...fieldTable('who blocked whom over mmap_lock and VMA locks', rows, blockerFields, MAX_BLOCKERS),
    ...rows.slice(0, MAX_BLOCKERS).flatMap(victimsOf),
    ...named('waits for mmap_lock that queued', all),
    ...named('of these: of page faults', faults),
    ...(vma === null
      ? [row('?', 'waits of writers for a VMA', sanitise(whyNoVmaWaits(snapshot.session)))]
      : named('waits of writers for a VMA', vma)),
    ...fieldTable(
      'mmap_lock at the end: held, and others queued',
      now.map((it) => ({ row: it, time: snapshot.time })),
      lockNowFields,
      MAX_NOW,
    ),
  ];
}

function waited({ waits, named: with_, why, free }: WaitedFor<string>): object {
  return { ...(waitJson(waits) as Record<string, unknown>), named: with_, why: { ...why }, free };
}

export function blockersJson(snapshot: Snapshot): object {
  const { known, rows, all, faults, vma, now } = snapshot.blockers;
  if (!known) return { known, why: whyNoBlockers(snapshot.session) };
  return {
    known,
    waits: waited(all),
    faultWaits: waited(faults),
    vmaWaits: vma === null ? null : waited(vma),
    rows: rows.slice(0, MAX_JSON).map((it) => ({
      ...jsonOf(blockerFields, it),
      mm: hex(it.mm),
      owner: it.owner === 0 ? null : it.owner,
      ownerComm: it.ownerComm === '' ? null : it.ownerComm,
      cgroup: it.cgroup,
      hold: waitJson(it.hold),
      untimedHolds: it.untimed,
      blocked: waitJson(it.blocked),
      waited: waitJson(it.waited),
      worstTid: it.worstTid === 0 ? null : it.worstTid,
      victims: it.victims.map((victim) => jsonOf(victimFields, victim)),
      forks:
        it.forks === null
          ? null
          : {
              ...it.forks,
              waits: it.forks.waits === null ? null : waitJson(it.forks.waits),
              worst:
                it.forks.worst === null ? null : { start: hex(it.forks.worst.start), end: hex(it.forks.worst.end) },
              vmaWaitNs: it.forks.vmaWaitNs === null ? null : u64(it.forks.vmaWaitNs),
            },
      kernelStack: it.kernelStack < 0 ? null : it.kernelStack,
      userStack: it.userStack < 0 ? null : it.userStack,
    })),
    now: now.map((it) => ({
      ...jsonOf(lockNowFields, { row: it, time: snapshot.time }),
      mm: hex(it.mm),
      owner: it.owner === 0 ? null : it.owner,
      sinceNs: it.since,
    })),
  };
}
