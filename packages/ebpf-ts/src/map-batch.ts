// SPDX-License-Identifier: MIT
/** Many elements by one system call (BPF_MAP_LOOKUP_BATCH and its like, kernel 5.6). */
import { constants } from 'node:os';
import { errnoError } from './errors.js';
import { libbpf } from './ffi.js';
import { bytes } from './memory.js';

const { ENOENT, ENOSPC } = constants.errno;
/** A hash map gives whole buckets; a bucket larger than the batch is asked for again with twice the room, up to this many elements. */
const MAX_BATCH = 2 ** 22;

const u32 = (memory: Uint8Array): DataView => new DataView(memory.buffer, memory.byteOffset, memory.byteLength);

/**
 * Every element, a batch to a system call; keys and values are views of memory that is never written again.
 * `fd` is asked again for every batch: the map may be closed between two.
 */
export function* lookupBatches(
  fd: () => number,
  what: string,
  keySize: number,
  valueSize: number,
  size: number,
  take: boolean,
): Generator<[Uint8Array, Uint8Array]> {
  const lib = libbpf();
  // A hash map's position is a u32, any other map's is a key.
  const position = Math.max(keySize, 4);
  let from: Uint8Array | null = null;
  let room = size;
  for (let done = false; !done; ) {
    const call = take ? lib.mapLookupAndDeleteBatch : lib.mapLookupBatch;
    const keys = bytes(room * keySize);
    const values = bytes(room * valueSize);
    const next = bytes(position);
    const count = bytes(4);
    u32(count).setUint32(0, room, true);
    const rc = call(fd(), from, next, keys, values, count, null);
    if (rc === -ENOSPC && room < MAX_BATCH) {
      room *= 2;
      continue;
    }
    if (rc < 0 && rc !== -ENOENT) throw errnoError(what, -rc);
    done = rc === -ENOENT;
    const got = Math.min(u32(count).getUint32(0, true), room);
    for (let i = 0; i < got; i++)
      yield [keys.subarray(i * keySize, (i + 1) * keySize), values.subarray(i * valueSize, (i + 1) * valueSize)];
    from = next;
  }
}

/** Keys have been checked to be of this size. The kernel stops at one that is not there: the batch goes on behind it. */
export function deleteBatch(fd: number, what: string, all: readonly Uint8Array[], keySize: number): void {
  for (let from = 0; from < all.length; ) {
    const rest = all.slice(from);
    const keys = bytes(rest.length * keySize);
    rest.forEach((key, i) => {
      keys.set(key, i * keySize);
    });
    const count = bytes(4);
    u32(count).setUint32(0, rest.length, true);
    const rc = libbpf().mapDeleteBatch(fd, keys, count, null);
    if (rc >= 0) return;
    if (rc !== -ENOENT) throw errnoError(what, -rc);
    from += Math.min(u32(count).getUint32(0, true), rest.length) + 1;
  }
}

/** Keys and values have been checked to be of these sizes. */
export function writeBatch(
  fd: number,
  what: string,
  entries: readonly (readonly [Uint8Array, Uint8Array])[],
  keySize: number,
  valueSize: number,
): void {
  if (entries.length === 0) return;
  const keys = bytes(entries.length * keySize);
  const values = bytes(entries.length * valueSize);
  entries.forEach(([key, value], i) => {
    keys.set(key, i * keySize);
    values.set(value, i * valueSize);
  });
  const count = bytes(4);
  u32(count).setUint32(0, entries.length, true);
  const rc = libbpf().mapUpdateBatch(fd, keys, values, count, null);
  if (rc < 0) throw errnoError(what, -rc);
}
