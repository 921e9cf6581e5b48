// SPDX-License-Identifier: MIT
/** libbpf 1.x for Node. */
export { Btf } from './btf.js';
export { BtfKind, type BtfMember, type BtfVariable } from './btf-kinds.js';
export { BpfError, type BpfErrorParts, errnoError, errnoName } from './errors.js';
export { type Feature, type FeatureProbes, type Features, features } from './features.js';
export { BpfMap } from './map.js';
export { BpfObject } from './object.js';
export { BpfLink, BpfProgram, type ProgramAccount } from './program.js';
export { RING_BUSY, RING_DISCARD, RING_HEADER, RING_LENGTH, RingBuffer } from './ring.js';
export {
  awaitRuns,
  dropCapabilities,
  enableStats,
  libbpfVersion,
  mapPages,
  type Pages,
  probeTracing,
  setNoNewPrivileges,
} from './system.js';
