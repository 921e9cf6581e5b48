// SPDX-License-Identifier: MIT
/** libbpf 1.x for Node. */
export { Btf, BtfKind, type BtfMember, type BtfVariable } from './btf.js';
export { BpfError, type BpfErrorParts, errnoName } from './errors.js';
