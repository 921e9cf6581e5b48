// SPDX-License-Identifier: MIT
/** `enum bpf_map_type` of include/uapi/linux/bpf.h, and what a type means for the bytes the kernel copies. */
import { say } from './words.js';

export const MapType = {
  Hash: 1,
  Array: 2,
  ProgArray: 3,
  PerfEventArray: 4,
  PercpuHash: 5,
  PercpuArray: 6,
  StackTrace: 7,
  CgroupArray: 8,
  LruHash: 9,
  LruPercpuHash: 10,
  LpmTrie: 11,
  ArrayOfMaps: 12,
  HashOfMaps: 13,
  Devmap: 14,
  Sockmap: 15,
  Cpumap: 16,
  Xskmap: 17,
  Sockhash: 18,
  CgroupStorage: 19,
  ReuseportSockarray: 20,
  PercpuCgroupStorage: 21,
  Queue: 22,
  Stack: 23,
  SkStorage: 24,
  DevmapHash: 25,
  StructOps: 26,
  Ringbuf: 27,
  InodeStorage: 28,
  TaskStorage: 29,
  BloomFilter: 30,
  UserRingbuf: 31,
  CgrpStorage: 32,
  Arena: 33,
  InsnArray: 34,
  Rhash: 35,
} as const;
export type MapType = (typeof MapType)[keyof typeof MapType];

const PER_CPU: ReadonlySet<number> = new Set([
  MapType.PercpuHash,
  MapType.PercpuArray,
  MapType.LruPercpuHash,
  MapType.PercpuCgroupStorage,
]);
/** IS_FD_MAP of kernel/bpf/syscall.c: a value is a descriptor going in and an id coming out. */
const OF_DESCRIPTORS: ReadonlySet<number> = new Set([
  MapType.ProgArray,
  MapType.PerfEventArray,
  MapType.CgroupArray,
  MapType.ArrayOfMaps,
  MapType.HashOfMaps,
]);
/** No element of theirs can be read or written from user space: they are mapped. */
const MAPPED: ReadonlySet<number> = new Set([MapType.Ringbuf, MapType.UserRingbuf, MapType.Arena]);

const KNOWN: ReadonlySet<number> = new Set(Object.values(MapType));
/** Of any other the bytes the kernel copies are not known here. */
export const isKnown = (type: number): boolean => KNOWN.has(type);
export const isPerCpu = (type: number): boolean => PER_CPU.has(type);
export const isOfMaps = (type: number): boolean => type === MapType.ArrayOfMaps || type === MapType.HashOfMaps;
export const isMapped = (type: number): boolean => MAPPED.has(type);

/** bpf_map_value_size() of kernel/bpf/syscall.c: the bytes the kernel copies for one element, on a host with `cpus` possible CPUs. */
export function copiedSize(type: number, valueSize: number, cpus: number): number {
  if (PER_CPU.has(type)) return perCpuStride(valueSize) * cpus;
  return OF_DESCRIPTORS.has(type) ? 4 : valueSize;
}

/** round_up(value_size, 8): from one CPU's value to the next. */
export function perCpuStride(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/** `hash` for 1; the number for a type newer than this file. */
export function mapTypeName(type: number): string {
  const name = Object.entries(MapType).find(([, value]) => value === type)?.[0];
  return name === undefined ? say`type ${type}` : name.replace(/(?<=[a-z])[A-Z]/g, (c) => `_${c}`).toLowerCase();
}
