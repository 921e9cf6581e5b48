// SPDX-License-Identifier: MIT
/** What a map is given before it exists, paths that keep it alive, and its values as memory. */
import { statfsSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { cString, integer, optionsOf } from './arguments.js';
import { errnoError, misuse, ofFiles } from './errors.js';
import { libbpf } from './ffi.js';
import { handleOf } from './lifetime.js';
import type { MeasuredMap } from './map-measured.js';
import { MapType, mapTypeName, perCpuStride } from './map-types.js';
import { bytes, mapPages, type Pages, pageSize } from './memory.js';
import { say } from './words.js';

/** include/uapi/linux/magic.h */
const BPF_FS_MAGIC = 0xcafe4a11;

export function setMaxEntries(owner: object, map: MeasuredMap, n: number): void {
  const what = `size map ${map.name}`;
  integer(n, 1, 2 ** 32 - 1, what);
  if (map.info.id !== 0) throw misuse('ERR_BPF_STATE', what, 'the map exists already');
  const handle = handleOf(owner);
  // libbpf (1.1) would unmap as many bytes as the new number makes, wherever they lie.
  if (libbpf().mapInitialValue(handle, bytes(8)) !== null)
    throw misuse('ERR_BPF_TYPE', what, 'it is a section of globals, which is one element');
  const rc = libbpf().mapSetMaxEntries(handle, n);
  if (rc < 0) throw errnoError(what, -rc);
}

export function setPinPath(owner: object, map: MeasuredMap, path: string): void {
  const what = `pin map ${map.name}`;
  if (map.info.id !== 0) throw misuse('ERR_BPF_STATE', what, 'the map exists already: use pin()');
  const rc = libbpf().mapSetPinPath(handleOf(owner), cString(path, what));
  if (rc < 0) throw errnoError(what, -rc);
}

export function pinTo(map: MeasuredMap, path: string): void {
  const what = say`pin map ${map.name} to ${path}`;
  const rc = libbpf().objPin(map.fd, cString(path, what));
  if (rc < 0) throw errnoError(what, -rc);
}

export function unpin(path: string): void {
  const what = say`remove the pin ${path}`;
  ofFiles(what, () => {
    if (statfsSync(dirname(cString(path, what))).type !== BPF_FS_MAGIC)
      throw misuse('ERR_BPF_TYPE', what, 'it does not lie in a bpf file system');
    unlinkSync(path);
  });
}

export function mapValues(map: MeasuredMap, options: { readonly writable: boolean }): Pages {
  const what = `map ${map.name} into memory`;
  const { writable } = optionsOf(options, what);
  const { type, valueSize, maxEntries } = map.info;
  if (type !== MapType.Array)
    throw misuse('ERR_BPF_TYPE', what, `it is a map of type ${mapTypeName(type)}, not an array`);
  const length = Math.ceil((perCpuStride(valueSize) * maxEntries) / pageSize()) * pageSize();
  return mapPages(map.fd, length, { writable: Boolean(writable), offset: 0 });
}
