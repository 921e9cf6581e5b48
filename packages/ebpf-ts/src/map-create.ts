// SPDX-License-Identifier: MIT
/** Maps that belong to no object. */

import { cString, integer, optionsOf } from './arguments.js';
import { libbpf } from './ffi.js';
import { mapOf } from './map-measured.js';
import { descriptor, type MapInfo, type MapSource, ofDescriptor } from './map-source.js';
import { type MapType, mapTypeName } from './map-types.js';
import { bytes } from './memory.js';

const U32 = 2 ** 32 - 1;

export interface MapOptions {
  readonly type: MapType;
  readonly name?: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* of include/uapi/linux/bpf.h. */
  readonly flags?: number;
  /** For a map of maps: what its maps are like. */
  readonly inner?: { readonly fd: number; readonly info: MapInfo };
}

/** Throws `BpfError`. */
export function createMap(options: MapOptions): MapSource {
  const { type, keySize, valueSize, maxEntries, flags = 0, name = '', inner } = optionsOf(options, 'create a map');
  const what = `create ${mapTypeName(type)} map ${typeof name === 'string' ? name : ''}`.trimEnd();
  for (const [key, n] of Object.entries({ type, keySize, valueSize, maxEntries, flags }))
    integer(n, 0, U32, `${what}: ${key}`);
  // struct bpf_map_create_opts: sz, btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id, inner_map_fd, map_flags
  const opts = bytes(48);
  const view = new DataView(opts.buffer, opts.byteOffset);
  view.setBigUint64(0, 48n, true);
  if (inner !== undefined) view.setUint32(24, mapOf(inner, `${what}: inner`).fd, true);
  view.setUint32(28, flags, true);
  const rc = libbpf().mapCreate(type, cString(name, what), keySize, valueSize, maxEntries, opts);
  return ofDescriptor(descriptor(rc, what), what);
}
