// SPDX-License-Identifier: MIT
/** Local storage of tasks, inodes and cgroups: seen from user space its keys are descriptors of what owns the value. */
import { closeSync } from 'node:fs';
import { SYSCALLS } from './arch.js';
import { integer, optionsOf } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { lastErrno, libc } from './ffi.js';
import { holdPath } from './hold-path.js';
import type { BpfMap } from './map.js';
import { mapOf } from './map-measured.js';
import { MapType, mapTypeName } from './map-types.js';

/** Whose value it is: a process by its pid, or a file or cgroup directory by its path. */
export type StorageOwner = { readonly pid: number } | { readonly path: string };

function open(map: BpfMap, owner: StorageOwner, what: string): number {
  const { type } = mapOf(map, what).info;
  const ofTasks = type === MapType.TaskStorage;
  if (!ofTasks && type !== MapType.InodeStorage && type !== MapType.CgrpStorage)
    throw misuse('ERR_BPF_TYPE', what, `it is a map of type ${mapTypeName(type)}, no local storage`);
  if ('pid' in optionsOf(owner, what) !== ofTasks)
    throw misuse('ERR_BPF_TYPE', what, ofTasks ? 'its owners are tasks: give a pid' : 'its owners have paths');
  if (!('pid' in owner)) return holdPath(owner.path, what);
  const pid = BigInt(integer(owner.pid, 1, 2 ** 22, `${what}: pid`));
  const fd = Number(libc().syscall(SYSCALLS.pidfdOpen, pid, null, 0, 0, 0));
  if (fd < 0) throw errnoError(`${what}: open process ${owner.pid}`, lastErrno());
  return fd;
}

/** The owner's value; undefined when it has none. Throws `BpfError`. */
export function readStorage(map: BpfMap, owner: StorageOwner): Uint8Array | undefined {
  const fd = open(map, owner, 'read local storage');
  try {
    return map.get(fd);
  } finally {
    closeSync(fd);
  }
}

/** Throws `BpfError`. */
export function writeStorage(map: BpfMap, owner: StorageOwner, value: Uint8Array): void {
  const fd = open(map, owner, 'write local storage');
  try {
    map.set(fd, value);
  } finally {
    closeSync(fd);
  }
}

/** Whether there was one. Throws `BpfError`. */
export function deleteStorage(map: BpfMap, owner: StorageOwner): boolean {
  const fd = open(map, owner, 'delete from local storage');
  try {
    return map.delete(fd);
  } finally {
    closeSync(fd);
  }
}
