// SPDX-License-Identifier: MIT
/** Where a map comes from: an object that will be loaded, or a descriptor of its own. */
import { closeSync } from 'node:fs';
import { errnoError, misuse } from './errors.js';
import { libbpf } from './ffi.js';
import { infoOf, nameAt } from './kernel-info.js';
import type { Lifetime } from './lifetime.js';

export interface MapInfo {
  /** A `MapType`, or a number of a newer kernel. */
  readonly type: number;
  /** Bytes of a key; 0 for queues, stacks, bloom filters and ring buffers. */
  readonly keySize: number;
  /** Bytes of a value; for a per-CPU map, of one CPU's. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* as the map was created with. */
  readonly flags: number;
  /** The kernel's id; 0 before load. */
  readonly id: number;
}

/** Answers only while it may be used; throws `BpfError` after that. */
export interface MapSource {
  readonly name: string;
  info(what: string): MapInfo;
  fd(what: string): number;
  close(): void;
}

/** struct bpf_map_info, include/uapi/linux/bpf.h, as far as 5.2 */
const INFO_SIZE = 80;

function kernelInfo(fd: number, what: string): MapInfo & { readonly name: string } {
  const view = infoOf(fd, INFO_SIZE, what);
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: nameAt(view, 24, 16),
  };
}

/** A map of an object: sizes are libbpf's before load and the kernel's own after it. */
export function ofObject(handle: bigint, life: Lifetime): MapSource {
  const lib = libbpf();
  const name = lib.mapName(handle);
  let known: MapInfo | null = null;
  const fd = (what: string): number => {
    life.afterLoad(what);
    const fd = lib.mapFd(handle);
    if (fd < 0) throw misuse('ERR_BPF_STATE', what, 'the map was not created');
    return fd;
  };
  return {
    name,
    fd,
    info(what) {
      life.alive(what);
      if (life.stage === 'loaded') {
        known ??= kernelInfo(fd(what), what);
        return known;
      }
      return {
        type: lib.mapType(handle),
        keySize: lib.mapKeySize(handle),
        valueSize: lib.mapValueSize(handle),
        maxEntries: lib.mapMaxEntries(handle),
        flags: lib.mapFlags(handle),
        id: 0,
      };
    },
    close() {},
  };
}

/** A map by a descriptor, which it closes. Throws `BpfError` when the descriptor is no map's. */
export function ofDescriptor(fd: number, what: string): MapSource {
  let info: MapInfo & { readonly name: string };
  try {
    info = kernelInfo(fd, what);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let open = true;
  const alive = (doing: string): void => {
    if (!open) throw misuse('ERR_BPF_CLOSED', doing, `map ${info.name} is closed`);
  };
  return {
    name: info.name,
    fd(doing) {
      alive(doing);
      return fd;
    },
    info(doing) {
      alive(doing);
      return info;
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** For a call that gave a negative errno or a descriptor. Throws `BpfError`. */
export function descriptor(rc: number, what: string): number {
  if (rc < 0) throw errnoError(what, -rc);
  return rc;
}
