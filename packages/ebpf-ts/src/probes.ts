// SPDX-License-Identifier: MIT
/** What the kernel has, by libbpf's own probes: each tries, and leaves nothing behind. They need the privilege to try. */
import { libbpf } from './ffi.js';
import { MapType } from './map-types.js';
import { integer } from './memory.js';

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

const probed = (rc: number): Probed => (rc > 0 ? 'supported' : rc === 0 ? 'unsupported' : 'inconclusive');

export function probeProgramType(type: ProgramType): Probed {
  return probed(libbpf().probeProgramType(integer(type, 0, 2 ** 16, 'probe program type'), null));
}

export function probeMapType(type: MapType): Probed {
  return probed(libbpf().probeMapType(integer(type, 0, 2 ** 16, 'probe map type'), null));
}

/** Whether programs of that type may call helper number `helper` (`enum bpf_func_id`). */
export function probeHelper(type: ProgramType, helper: number): Probed {
  const what = 'probe helper';
  return probed(libbpf().probeHelper(integer(type, 0, 2 ** 16, what), integer(helper, 0, 2 ** 16, what), null));
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
