// SPDX-License-Identifier: MIT
/** libbpf 1.x for Node. */
export type { Cookie, KprobeMultiOptions, KprobeOptions, UprobeOptions, UsdtOptions } from './attach.js';
export type { IterTarget } from './attach-iter.js';
export { Btf } from './btf.js';
export { BtfKind, type BtfMember, type BtfVariable } from './btf-kinds.js';
export { BtfTable } from './btf-table.js';
export { codecOf } from './codec.js';
export type { Codec } from './codec-scalar.js';
export { type CheckedRelocation, type CoreReport, checkRelocations, type MissingTarget } from './core-check.js';
export { BpfError, type BpfErrorParts, errnoError, errnoName, VerifierError } from './errors.js';
export { type Feature, type FeatureProbes, type Features, features } from './features.js';
export { type ForeignFunction, foreignFunction } from './ffi.js';
export { generateTypes } from './generate.js';
export type { Global } from './globals.js';
export type { ProgramAccount } from './kernel-info.js';
export { BpfLink, type LinkAccount, type LinkInfo } from './link.js';
export { BpfMap } from './map.js';
export type { MapOptions } from './map-create.js';
export type { Key } from './map-key.js';
export type { MapInfo } from './map-source.js';
export { MapType, mapTypeName } from './map-types.js';
export { type Pages, pageSize } from './memory.js';
export { BpfObject, type OpenOptions, type Section } from './object.js';
export { PerfBuffer, type PerfRecord } from './perf-buffer.js';
export type { PerfEvent } from './perf-event.js';
export { Capability, dropCapabilities, privilegedThreads, type Surrender } from './privileges.js';
export {
  type KernelFeatures,
  kernelFeatures,
  type Probed,
  ProgramType,
  probeHelper,
  probeHelpers,
  probeMapType,
  probeProgramType,
} from './probes.js';
export { BpfProgram } from './program.js';
export { RingBuffer } from './ring.js';
export { RING_BUSY, RING_DISCARD, RING_HEADER, RING_LENGTH } from './ring-record.js';
export type { AnyShape, Shape } from './shape.js';
export { deleteStorage, readStorage, type StorageOwner, writeStorage } from './storage.js';
export {
  adoptOrphans,
  awaitRuns,
  enableStats,
  libbpfVersion,
  lockPages,
  possibleCpus,
  probeTracing,
  reapChild,
} from './system.js';
export { decodeWith, encodeWith, TypedMap } from './typed-map.js';
export { UserRing } from './user-ring.js';
