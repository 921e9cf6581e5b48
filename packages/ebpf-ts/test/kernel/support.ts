// SPDX-License-Identifier: MIT
/** What the tests in a guest have in common. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BpfError, BpfObject, Btf } from '../../src/index.js';
import { bpf } from '../../src/system.js';

/** By its path from this package's `dist/test`. */
export const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
export const KINDS: string = file('kinds.bpf.o');
export const SMALL: string = file('small.bpf.o');
/** What precedes the name of a system call's function. */
export const SYS: string = process.arch === 'arm64' ? '__arm64_sys_' : '__x64_sys_';
/** What runs whenever a file is opened. */
export const OPENAT: string = `${SYS}openat`;
const [major = 0, minor = 0] = release().split('.').map(Number);
export const since = (a: number, b: number): boolean => major > a || (major === a && minor >= b);
export const run = (command: string): string => execFileSync('/bin/bash', ['-c', command], { encoding: 'utf8' });
export const opens = (): void => void readFileSync('/proc/self/comm');
export const forks = (): void => void run('/bin/true; /bin/true');

/** `enum kind` of kinds.bpf.c: where in `runs` each of its programs counts. */
export const KIND: Readonly<Record<string, number>> = Btf.fromFile(KINDS).enumeration('kind') ?? {};
export const runsOf = (object: BpfObject): bigint[] => [...object.global('runs').get()];

/** kinds.bpf.o, loaded. */
export function loadedKinds(): BpfObject {
  const object = BpfObject.open(KINDS);
  object.program('on_session').setAutoload(since(6, 12));
  if (since(6, 12)) object.program('on_session').setType(2, 56);
  object.global('knob').set(-7);
  object.load();
  return object;
}

export function inKernel(): { programs: number; maps: number; links: number } {
  const count = (command: number): number => {
    const attr = new Uint8Array(16);
    const words = new Uint32Array(attr.buffer);
    for (let n = 0; ; n++)
      try {
        bpf(command, attr, 'count');
        words[0] = words[1] as number;
      } catch (error) {
        assert.equal((error as BpfError).code, 'ENOENT');
        return n;
      }
  };
  return { programs: count(11), maps: count(12), links: count(31) };
}
/** The kernel lets go of programs after grace periods. */
export async function nothingMoreThan(before: ReturnType<typeof inKernel>): Promise<void> {
  const more = (): boolean => {
    const now = inKernel();
    return now.programs > before.programs || now.maps > before.maps || now.links > before.links;
  };
  for (let i = 0; i < 200 && more(); i++) await sleep(100);
  assert.ok(!more(), `${JSON.stringify(before)} → ${JSON.stringify(inKernel())}`);
}
