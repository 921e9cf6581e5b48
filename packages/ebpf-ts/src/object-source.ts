// SPDX-License-Identifier: MIT
/** Where an object comes from: its file, its name, and the BTF that libbpf has of it. */
import { readFileSync } from 'node:fs';
import { cString } from './arguments.js';
import { Btf } from './btf.js';
import { BpfError, loadError, misuse } from './errors.js';
import { addressOf, lastErrno, libbpf, type Pointer, takeLog, viewOf } from './ffi.js';
import { bytes } from './memory.js';

export function nameOf(path: string): string {
  return (/([^/]+?)(\.bpf)?(\.o)?$/.exec(path)?.[1] ?? path).replace(/[^A-Za-z0-9_]/g, '_');
}

export function readObject(path: string, what: string): Uint8Array {
  try {
    return readFileSync(cString(path, what));
  } catch (cause) {
    if (cause instanceof BpfError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'no such file' : String((cause as Error).message);
    const remedy = missing ? 'compile it: clang -g -O2 -target bpf -c NAME.bpf.c' : '';
    throw new BpfError({ what, why, remedy, code: missing ? 'ENOENT' : 'ERR_BPF_INPUT' }, { cause });
  }
}

/** libbpf's handle of an object. Throws `BpfError`. */
export function openElf(elf: Uint8Array, name: string, kernelBtf: string | undefined, what: string): bigint {
  // struct bpf_object_open_opts: sz, object_name, relaxed_maps, pin_root_path, bitfield, kconfig, btf_custom_path
  const opts = bytes(56);
  const view = new DataView(opts.buffer, opts.byteOffset);
  const names = [name, kernelBtf].map((text) => (text === undefined ? null : Buffer.from(`${cString(text, what)}\0`)));
  view.setBigUint64(0, 56n, true);
  if (names[0]) view.setBigUint64(8, addressOf(names[0]), true);
  if (names[1]) view.setBigUint64(48, addressOf(names[1]), true);
  takeLog();
  const handle = libbpf().objectOpenMem(elf, elf.length, opts);
  if (handle === null) throw loadError(what, lastErrno(), takeLog());
  if (names.length === 0) throw new Error('unreachable'); // keeps the names alive until here
  return handle;
}

export function readBtf(handle: Pointer): Btf {
  const size = bytes(4);
  const data = handle === null ? null : libbpf().btfRawData(handle, size);
  if (data === null)
    throw misuse('ERR_BPF_INPUT', 'read the BTF of the BPF object', 'it has none', 'compile it with -g');
  const length = new DataView(size.buffer, size.byteOffset).getUint32(0, true);
  return new Btf(new Uint8Array(viewOf(data, length)).slice());
}
