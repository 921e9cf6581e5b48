// SPDX-License-Identifier: MIT
/** The processes behind the rows of lists: whose cgroup they are in, by which lists are grouped and filtered. */
import type { Snapshot } from '../aggregate/snapshot.js';
import type { ProcessRow } from '../aggregate/snapshot-rows.js';
import type { Opening } from './list.js';
import type { ListGroup } from './list-tree.js';

const BY_TGID: WeakMap<Snapshot, ReadonlyMap<number, ProcessRow>> = new WeakMap();

function processOf(snapshot: Snapshot, tgid: number): ProcessRow | undefined {
  let found = BY_TGID.get(snapshot);
  if (found === undefined) {
    found = new Map(snapshot.processes.map((row) => [row.tgid, row]));
    BY_TGID.set(snapshot, found);
  }
  return found.get(tgid);
}

/** Name and path of the cgroup of a process, as far as known. */
export function cgroupOf(snapshot: Snapshot, tgid: number): string {
  return processOf(snapshot, tgid)?.cgroupName ?? '';
}

export function groupOfCgroup(cgroup: number, name: string): ListGroup {
  if (cgroup === 0 && name === '') return { id: '?', name: 'cgroup not known', filter: '' };
  return { id: String(cgroup), name: name || `cgroup ${cgroup}`, filter: `cgroup:"${name || cgroup}"` };
}

/** `tgid`: a process that may be none of the snapshot's rows. */
export function groupOfProcess(snapshot: Snapshot, tgid: number): ListGroup {
  const row = processOf(snapshot, tgid);
  return groupOfCgroup(row?.cgroup ?? 0, row?.cgroupName ?? '');
}

/** What Enter leads to on a row of a process: its faults, of one VMA of it where `vma`, the start of one, is given. */
export function faultsOfProcess(tgid: number, vma?: number): Opening {
  const filter = vma === undefined ? `pid:${tgid}` : `pid:${tgid} vma:${vma.toString(16)}`;
  return { kind: 'filter', filter, view: 'lifecycles' };
}
