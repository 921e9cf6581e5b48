// SPDX-License-Identifier: MIT
/** Rows and tables of a snapshot as the document behind `--json` has them. */
import {
  DECADE_TITLES,
  MMAP_LOCK_HOOK,
  OTHER_USERS,
  whyNotHooked,
  whyNoUser,
} from '../../../src/core/aggregate/mmap-lock.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import type {
  AddressRow,
  CounterfactualRow,
  MmapLockSide,
  WriterRow,
} from '../../../src/core/aggregate/snapshot-rows.js';
import type { VmaRow } from '../../../src/core/aggregate/vmas.js';
import { jsonOf } from '../../../src/core/present/fields/field.js';
import { vmaFields } from '../../../src/core/present/fields/vma.js';
import { hex, sorted, u64, wait } from '../../../src/core/present/json-values.js';
import { whyNoWait } from '../../../src/core/present/wait-hooks.js';
import { VERDICTS } from '../../../src/core/vocabulary/verdicts.js';
import { WAIT_NAMES, type WaitName } from '../../../src/core/vocabulary/waits.js';

export function addressJson(row: AddressRow): object {
  return {
    address: hex(row.address),
    mm: hex(row.mm),
    tgid: row.tgid,
    comm: row.comm,
    mapping: row.mapping || null,
    lifecycles: row.lifecycles,
    retries: row.retries,
    joined: row.joined,
    byCause: sorted(row.byCause),
    byEnd: sorted(row.byEnd),
  };
}

export function vmaJson(row: VmaRow): object {
  const { worstNs, device, inode } = row;
  return { ...jsonOf(vmaFields, row), worstNs, device: device || null, inode: inode || null };
}

export function writerJson(row: WriterRow): object {
  return {
    tgid: row.tgid,
    comm: row.comm,
    syscall: row.syscall,
    name: row.name,
    acquired: row.acquired,
    wait: wait(row.wait),
    hold: wait(row.hold),
    behindReader: row.behindReader,
    behindWriter: row.behindWriter,
    inverted: row.inverted,
    vmas: row.vmas,
    vmaWait: wait(row.vmaWait),
    retriesLocked: row.retriesLocked,
    retriesDelayed: row.retriesDelayed,
    worstHolder: row.worstHolder === 0 ? null : row.worstHolder,
    worstWaitNs: row.worstWaitNs,
    kernelStack: row.kernelStack < 0 ? null : row.kernelStack,
    userStack: row.userStack < 0 ? null : row.userStack,
  };
}

export function counterfactualJson(row: CounterfactualRow): object {
  const { stall } = row;
  return {
    key: row.key,
    retries: row.retries,
    verdicts: Object.fromEntries(VERDICTS.map((kind) => [kind, row.verdicts[kind]])),
    avoidableQuiet: row.avoidableQuiet,
    avoidableBusy: row.avoidableBusy,
    unknownWhy: sorted(row.unknownWhy),
    savedNs: row.savedNs === null ? null : u64(row.savedNs),
    lookupNs: u64(row.lookupNs),
    stall: {
      basis: stall.basis,
      exactNs: stall.basis === 'exact' ? u64(stall.exactNs) : null,
      boundNs: stall.basis === 'none' ? null : u64(stall.boundNs),
      writers: stall.basis === 'none' ? null : stall.writers,
      unknown: stall.basis === 'none' ? null : stall.unknown,
    },
  };
}

function sideJson(row: MmapLockSide): object {
  return {
    acquired: row.acquired,
    waitNs: u64(row.waitNs),
    decades: Object.fromEntries(DECADE_TITLES.map((title, i) => [title, row.decades[i] ?? 0])),
  };
}

/** null where no hook shows them: none seen is then no zero. */
export function waitsJson({ session, waits: all }: Snapshot): object {
  const unseen = (name: WaitName): boolean => all[name].count === 0 && whyNoWait(session, name) !== '';
  return Object.fromEntries(WAIT_NAMES.map((name) => [name, unseen(name) ? null : wait(all[name])]));
}

export function mmapLockJson({ session, mmapLock: table }: Snapshot): object {
  if (!table.known) return { known: false, why: whyNotHooked(session, MMAP_LOCK_HOOK) };
  return { known: true, read: sideJson(table.read), write: sideJson(table.write), tryFailed: table.tryFailed };
}

export function otherUsersJson({ session, otherUsers: users }: Snapshot): object {
  const unknown = OTHER_USERS.filter(([user]) => users[user] === null);
  return {
    ...Object.fromEntries(OTHER_USERS.map(([user]) => [user, users[user]])),
    why: Object.fromEntries(unknown.map(([user]) => [user, whyNoUser(session, user)])),
  };
}
