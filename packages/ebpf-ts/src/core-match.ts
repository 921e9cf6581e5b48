// SPDX-License-Identifier: MIT
/** Whether a local type or access has its like in another BTF: the rules of libbpf's relo_core.c, without loading anything. */
import type { Btf } from './btf.js';
import { BtfKind } from './btf-kinds.js';
import { MAX_DEPTH } from './btf-table.js';
import type { Accessor, Relocation } from './core-relocations.js';

/** `task_struct` for `task_struct___old`: what follows the last three underscores is the author's own (a flavour). */
export function essentialName(name: string): string {
  return /^(.*[^_])___[^_]/.exec(name)?.[1] ?? name;
}

const isComposite = (kind: number): boolean => kind === BtfKind.Struct || kind === BtfKind.Union;
const isEnum = (kind: number): boolean => kind === BtfKind.Enum || kind === BtfKind.Enum64;
/** btf_kind_core_compat() */
export const sameKind = (a: number, b: number): boolean => a === b || (isEnum(a) && isEnum(b));

/** bpf_core_fields_are_compat(): sizes and signs may differ, shapes may not. */
function fieldsFit(local: Btf, a: number, target: Btf, b: number): boolean {
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    a = local.skip(a);
    b = target.skip(b);
    const kind = local.kind(a);
    const other = target.kind(b);
    if (isComposite(kind) && isComposite(other)) return true;
    if (!sameKind(kind, other)) return false;
    if (kind === BtfKind.Ptr || kind === BtfKind.Float || kind === BtfKind.Int) return true;
    if (isEnum(kind) || kind === BtfKind.Fwd) {
      const [x, y] = [essentialName(local.name(a)), essentialName(target.name(b))];
      return x === '' || y === '' || x === y;
    }
    if (kind !== BtfKind.Array) return false;
    a = local.arrayOf(a).type;
    b = target.arrayOf(b).type;
  }
  return false;
}

/** bpf_core_types_are_compat() */
function typesFit(local: Btf, a: number, target: Btf, b: number, depth: number): boolean {
  if (depth > MAX_DEPTH) return false;
  a = local.skip(a);
  b = target.skip(b);
  const kind = local.kind(a);
  if (!sameKind(kind, target.kind(b))) return false;
  switch (kind) {
    case BtfKind.Void:
    case BtfKind.Struct:
    case BtfKind.Union:
    case BtfKind.Enum:
    case BtfKind.Enum64:
    case BtfKind.Fwd:
    case BtfKind.Int:
      return true;
    case BtfKind.Ptr:
      return typesFit(local, local.target(a), target, target.target(b), depth + 1);
    case BtfKind.Array:
      return typesFit(local, local.arrayOf(a).type, target, target.arrayOf(b).type, depth + 1);
    case BtfKind.FuncProto: {
      const count = local.vlen(a);
      if (count !== target.vlen(b)) return false;
      for (let i = 0; i < count; i++)
        if (!typesFit(local, local.word(a, 16 + 8 * i), target, target.word(b, 16 + 8 * i), depth + 1)) return false;
      return typesFit(local, local.target(a), target, target.target(b), depth + 1);
    }
    default:
      return false;
  }
}

interface Place {
  readonly type: number;
  readonly bit: number;
}

/** bpf_core_match_member(): by name, also in anonymous structs and unions. */
function member(local: Btf, accessor: Accessor, target: Btf, id: number, depth: number): Place | null {
  const type = target.skip(id);
  if (!isComposite(target.kind(type)) || depth > MAX_DEPTH) return null;
  for (const candidate of target.members(type)) {
    const bit = candidate.bits?.offset ?? 8 * candidate.offset;
    if (candidate.name === '') {
      const inner = member(local, accessor, target, candidate.type, depth + 1);
      if (inner !== null) return { type: inner.type, bit: bit + inner.bit };
    } else if (candidate.name === accessor.name) {
      const wanted = local.members(accessor.type)[accessor.index];
      if (wanted === undefined || !fieldsFit(local, wanted.type, target, candidate.type)) return null;
      return { type: candidate.type, bit };
    }
  }
  return null;
}

/**
 * bpf_core_spec_match(): what the access is in the candidate, as a value that must be the same for every candidate of
 * that name; null when it has none.
 */
export function match(local: Btf, relocation: Relocation, target: Btf, candidate: number): bigint | null {
  if (relocation.enumerator >= 0) {
    const wanted = local.enumerators(local.skip(relocation.type))[relocation.enumerator]?.name ?? '';
    const type = target.skip(candidate);
    if (!isEnum(target.kind(type))) return null;
    const name = essentialName(wanted);
    return target.enumerators(type).find((e) => essentialName(e.name) === name)?.value ?? null;
  }
  if (relocation.accessors.length === 0)
    return typesFit(local, relocation.type, target, candidate, 0) ? BigInt(target.sizeOf(candidate)) : null;
  let place: Place = { type: target.skip(candidate), bit: 0 };
  for (const [i, accessor] of relocation.accessors.entries()) {
    if (accessor.name !== null) {
      const found = member(local, accessor, target, place.type, 0);
      if (found === null) return null;
      place = { type: target.skip(found.type), bit: place.bit + found.bit };
    } else if (i === 0) {
      place = { type: place.type, bit: 8 * accessor.index * target.sizeOf(place.type) };
    } else {
      if (target.kind(place.type) !== BtfKind.Array) return null;
      const { type, length } = target.arrayOf(place.type);
      // An array of no length at a struct's end (a flexible one) is as long as the program says.
      if (length > 0 && accessor.index >= length) return null;
      place = { type: target.skip(type), bit: place.bit + 8 * accessor.index * target.sizeOf(type) };
    }
  }
  return BigInt(place.bit);
}
