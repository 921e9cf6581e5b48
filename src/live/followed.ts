// SPDX-License-Identifier: MIT
/** Which processes, threads and cgroups a session follows, written to the maps of the probes (bpf/pids.bpf.h, bpf/cgroups.bpf.h). */
import { readFileSync } from 'node:fs';
import type { BpfMap, BpfObject } from 'ebpf-ts';
import { ExitCode, errorCode, UserError } from '../errors.js';
import { cannot } from './kernel.js';
import type { Namespaces } from './namespaces.js';
import type { LiveOptions } from './options.js';
import { LEARN_OWN_PIDS } from './program-names.js';
import type { HostContext } from './rodata.js';

/** PIDS_A_BLOCK of bpf/maps.bpf.h. */
const PIDS_A_BLOCK = 512;

/** Writes to the probes who we are, where the kernel's pids are not ours, and what is to be followed. Throws `UserError`. */
export function tellPids(object: BpfObject, { pids, tids }: LiveOptions, { pid }: Namespaces): void {
  if (pid.initial !== true && object.program(LEARN_OWN_PIDS).testRun().returned !== 1)
    throw cannot(
      'find this process among those of the kernel',
      'its PID namespace is not one below that of /proc',
      'mount the /proc of this PID namespace, or run it on the host',
    );
  put(object.map('tgids'), pids);
  put(object.map('tids'), tids);
}

/** The size of `struct followed_cgroup` of bpf/cgroups.bpf.h. */
const CGROUP_BYTES = 16;

/** `memory`: .bss, mapped writable, before the session begins. */
export function tellCgroups(
  object: BpfObject,
  memory: ArrayBuffer,
  { cgroups, mounted }: Pick<HostContext, 'cgroups' | 'mounted'>,
): void {
  if (cgroups.length === 0) return;
  object.program(LEARN_OWN_PIDS).testRun();
  const view = new DataView(memory);
  const level = view.getUint32(object.variable('.bss', 'own_cgroup_level').offset, true);
  const top = level - depthOf(ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'))) + depthOf(mounted);
  const { offset } = object.variable('.bss', 'followed_cgroups');
  cgroups.forEach(({ id, path }, i) => {
    view.setBigUint64(offset + i * CGROUP_BYTES, id, true);
    view.setUint32(offset + i * CGROUP_BYTES + 8, top + depthOf(path), true);
  });
}

/** The path in the hierarchy of version 2, from the root of this process's cgroup namespace, by /proc/PID/cgroup (cgroups(7)). */
export function ownCgroup(text: string): string {
  return /^0::(.*)$/m.exec(text)?.[1] ?? '/';
}

/** How far below a directory a path ends: `/../a` is as deep as it. */
export function depthOf(path: string): number {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .reduce((depth, part) => depth + (part === '..' ? -1 : 1), 0);
}

function put(map: BpfMap, ids: readonly number[]): void {
  for (const id of ids) {
    const key = new Uint8Array(new Uint32Array([Math.floor(id / PIDS_A_BLOCK)]).buffer);
    const bits = map.get(key) ?? new Uint8Array(PIDS_A_BLOCK / 8);
    const bit = id % PIDS_A_BLOCK;
    bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7));
    map.set(key, bits);
  }
}

/** A pid nobody has, and a thread taken for a process, would match nothing: zeros that look like findings. Throws `UserError`. */
export function refuseAbsent({ pids, tids }: Pick<LiveOptions, 'pids' | 'tids'>): void {
  for (const pid of pids) {
    const leader = leaderOf(pid);
    if (leader === undefined) throw refused(`follow process ${pid}`, 'there is none of that pid', 'ps -e lists them');
    if (leader !== null && leader !== pid)
      throw refused(
        `follow process ${pid}`,
        `it is a thread of process ${leader}`,
        `use --tid ${pid}, or --pid ${leader}`,
      );
  }
  for (const tid of tids)
    if (leaderOf(tid) === undefined)
      throw refused(`follow thread ${tid}`, 'there is none of that id', 'ps -eL lists them');
}

function refused(what: string, why: string, remedy: string): UserError {
  return new UserError(`cannot ${what}`, why, remedy, ExitCode.Usage);
}

/** The process a thread belongs to; undefined: there is no such thread; null: not known. */
function leaderOf(id: number): number | null | undefined {
  try {
    const tgid = /^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1];
    return tgid === undefined ? null : Number(tgid);
  } catch (error) {
    const gone = errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH';
    return gone && !exists(id) ? undefined : null;
  }
}

/** /proc may hide processes of others (hidepid, proc(5)). */
function exists(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
