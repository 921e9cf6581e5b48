// SPDX-License-Identifier: MIT
/** What the kernel has, by libbpf's own probes: each tries, and leaves nothing behind. They need the privilege to try. */
import { closeSync } from 'node:fs';
import { integer } from './arguments.js';
import { Btf } from './btf.js';
import { BpfError } from './errors.js';
import { addressOf, libbpf } from './ffi.js';
import { MapType } from './map-types.js';
import { bytes } from './memory.js';
import { withSignalsHeld } from './signals.js';
import { bpf } from './system.js';

/** `enum bpf_prog_type` of include/uapi/linux/bpf.h */
export const ProgramType = {
  SocketFilter: 1,
  Kprobe: 2,
  SchedCls: 3,
  SchedAct: 4,
  Tracepoint: 5,
  Xdp: 6,
  PerfEvent: 7,
  CgroupSkb: 8,
  CgroupSock: 9,
  LwtIn: 10,
  LwtOut: 11,
  LwtXmit: 12,
  SockOps: 13,
  SkSkb: 14,
  CgroupDevice: 15,
  SkMsg: 16,
  RawTracepoint: 17,
  CgroupSockAddr: 18,
  LwtSeg6local: 19,
  LircMode2: 20,
  SkReuseport: 21,
  FlowDissector: 22,
  CgroupSysctl: 23,
  RawTracepointWritable: 24,
  CgroupSockopt: 25,
  Tracing: 26,
  StructOps: 27,
  Ext: 28,
  Lsm: 29,
  SkLookup: 30,
  Syscall: 31,
  Netfilter: 32,
} as const;
export type ProgramType = (typeof ProgramType)[keyof typeof ProgramType];

/** libbpf answers 1 or 0, or an errno when it could not find out (`inconclusive`), which a refusal for lack of privilege is. */
export type Probed = 'supported' | 'unsupported' | 'inconclusive';

const tried = (probe: () => number): Probed => {
  const rc = withSignalsHeld(probe);
  return rc > 0 ? 'supported' : rc === 0 ? 'unsupported' : 'inconclusive';
};

/** Whether the kernel takes programs of that type. Throws `BpfError` for what is no type. */
export function probeProgramType(type: ProgramType): Probed {
  return tried(() => libbpf().probeProgramType(integer(type, 0, 2 ** 16, 'probe program type'), null));
}

/** Whether the kernel makes maps of that type. Throws `BpfError` for what is no type. */
export function probeMapType(type: MapType): Probed {
  return tried(() => libbpf().probeMapType(integer(type, 0, 2 ** 16, 'probe map type'), null));
}

const BPF_PROG_LOAD = 5;
const LOG_SIZE = 4096;
/** `enum bpf_attach_type` and flags without which a program of that type is refused before its code is looked at. */
const ATTACH_TYPES: Readonly<Record<number, number>> = {
  [ProgramType.CgroupSockAddr]: 10,
  [ProgramType.CgroupSockopt]: 21,
  [ProgramType.SkLookup]: 36,
  [ProgramType.Netfilter]: 45,
};
const SLEEPABLE = 1 << 4;

/**
 * What the verifier says of a program that calls the helper and nothing else. libbpf up to 1.4 knows the kernel's older words for
 * "no such helper for this type" alone ("unknown func"), and takes any other complaint for a sign that there is one.
 */
function helperRefused(type: ProgramType, helper: number): boolean {
  const code = new Uint8Array(16);
  const license = new TextEncoder().encode('GPL\0');
  const log = bytes(LOG_SIZE);
  // BPF_CALL helper; BPF_EXIT
  code.set([0x85, 0, 0, 0, helper & 0xff, (helper >> 8) & 0xff, 0, 0, 0x95]);
  // union bpf_attr of BPF_PROG_LOAD: type, insn_cnt, insns, license, log_level, log_size, log_buf, kern_version, prog_flags …
  const attr = bytes(128);
  const view = new DataView(attr.buffer, attr.byteOffset, attr.byteLength);
  view.setUint32(0, type, true);
  view.setUint32(4, code.length / 8, true);
  view.setBigUint64(8, addressOf(code), true);
  view.setBigUint64(16, addressOf(license), true);
  view.setUint32(24, 1, true);
  view.setUint32(28, LOG_SIZE, true);
  view.setBigUint64(32, addressOf(log), true);
  view.setUint32(44, type === ProgramType.Syscall ? SLEEPABLE : 0, true);
  view.setUint32(68, ATTACH_TYPES[type] ?? 0, true);
  try {
    closeSync(bpf(BPF_PROG_LOAD, attr, 'probe helper'));
    return false;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return /cannot use helper|unknown func|invalid func/.test(Buffer.from(log).toString('latin1'));
  }
}

/** Whether programs of that type may call helper number `helper` (`enum bpf_func_id`). */
export function probeHelper(type: ProgramType, helper: number): Probed {
  const what = 'probe helper';
  const numbers = [integer(type, 0, 2 ** 16, what), integer(helper, 0, 2 ** 16, what)] as const;
  const answer = tried(() => libbpf().probeHelper(...numbers, null));
  return answer === 'supported' && helperRefused(type, helper) ? 'unsupported' : answer;
}

/**
 * Every helper that the kernel's BTF names, by its name without `bpf_` (`map_lookup_elem`): whether programs of that type may call
 * it. Some 200 probes, each a program tried. Throws `BpfError` when the kernel has no BTF.
 */
export function probeHelpers(type: ProgramType, kernel: Btf = Btf.vmlinux()): Readonly<Record<string, Probed>> {
  const ids = Object.entries(kernel.enumeration('bpf_func_id') ?? {});
  const helpers = ids.map(([name, id]) => [name.replace('BPF_FUNC_', ''), id] as const);
  return Object.fromEntries(
    helpers.filter(([name]) => !/^(unspec|__)/.test(name)).map(([name, id]) => [name, probeHelper(type, id)]),
  );
}

export interface KernelFeatures {
  readonly programTypes: Readonly<Record<keyof typeof ProgramType, Probed>>;
  readonly mapTypes: Readonly<Record<keyof typeof MapType, Probed>>;
}

/** Every program and map type this file knows, tried one by one (some tens of milliseconds). Throws `BpfError` only when there is no libbpf. */
export function kernelFeatures(): KernelFeatures {
  libbpf();
  const each = <Name extends string>(types: Readonly<Record<Name, number>>, probe: (type: never) => Probed) =>
    Object.fromEntries(Object.entries(types).map(([name, type]) => [name, probe(type as never)])) as Record<
      Name,
      Probed
    >;
  return { programTypes: each(ProgramType, probeProgramType), mapTypes: each(MapType, probeMapType) };
}
