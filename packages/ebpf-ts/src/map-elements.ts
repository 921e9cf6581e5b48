// SPDX-License-Identifier: MIT
/** Single elements of a map, by key or at the head of a queue: every size is checked before the kernel gets an address. */
import { constants } from 'node:os';
import { exactly } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { libbpf } from './ffi.js';
import { type Key, keyBytes } from './map-key.js';
import type { MapInfo } from './map-source.js';
import { isMapped, mapTypeName } from './map-types.js';
import { bytes } from './memory.js';

const { ENOENT, EINTR } = constants.errno;

/** What a map is, as far as its elements ask. */
export interface Elements {
  readonly name: string;
  readonly info: MapInfo;
  readonly fd: number;
  readonly copiedSize: number;
}

type Read = (fd: number, key: Uint8Array | null, value: Uint8Array) => number;

/** The descriptor of a map that has keys. Throws `BpfError` for any other. */
export function keyed(map: Elements, what: string): number {
  const { type, keySize } = map.info;
  if (isMapped(type) || keySize === 0)
    throw misuse('ERR_BPF_TYPE', what, `a map of type ${mapTypeName(type)} has no keys`);
  return map.fd;
}

/** The descriptor of a queue or stack. Throws `BpfError` for any other. */
function keyless(map: Elements, what: string): number {
  const { type, keySize } = map.info;
  if (isMapped(type) || keySize !== 0)
    throw misuse('ERR_BPF_TYPE', what, `a map of type ${mapTypeName(type)} is no queue or stack`);
  return map.fd;
}

function found(rc: number, value: Uint8Array, what: string): Uint8Array | undefined {
  if (rc === -ENOENT) return undefined;
  if (rc < 0) throw errnoError(what, -rc);
  return value;
}

export function readElement(map: Elements, verb: string, call: Read, key: Key): Uint8Array | undefined {
  const what = `${verb} map ${map.name}`;
  const fd = keyed(map, what);
  const value = bytes(map.copiedSize);
  return found(call(fd, keyBytes(key, map.info.keySize, what), value), value, what);
}

export function readHead(map: Elements, verb: string, call: Read): Uint8Array | undefined {
  const what = `${verb} map ${map.name}`;
  const fd = keyless(map, what);
  const value = bytes(map.copiedSize);
  return found(call(fd, null, value), value, what);
}

/** A key of null: to a queue or stack. */
export function writeElement(map: Elements, verb: string, key: Key | null, value: Uint8Array, flags: number): void {
  const what = `${verb} map ${map.name}`;
  exactly(value, map.copiedSize, `${what}: value`);
  const fd = key === null ? keyless(map, what) : keyed(map, what);
  const rc = libbpf().mapUpdate(fd, key === null ? null : keyBytes(key, map.info.keySize, what), value, flags);
  if (rc < 0) throw errnoError(what, -rc);
}

/** Whether there was one. */
export function deleteElement(map: Elements, key: Key): boolean {
  const what = `delete from map ${map.name}`;
  const rc = libbpf().mapDelete(keyed(map, what), keyBytes(key, map.info.keySize, what));
  if (rc === -ENOENT) return false;
  if (rc < 0) throw errnoError(what, -rc);
  return true;
}

export function* listKeys(map: Elements): Generator<Uint8Array> {
  const what = `list the keys of map ${map.name}`;
  let key: Uint8Array | null = null;
  for (;;) {
    const next = bytes(map.info.keySize);
    const rc = libbpf().mapNextKey(keyed(map, what), key, next);
    if (rc === -ENOENT) return;
    if (rc === -EINTR) continue;
    if (rc < 0) throw errnoError(what, -rc);
    key = next;
    yield next.slice(); // what is given away may be written to
  }
}
