// SPDX-License-Identifier: MIT
/** BTF as it is written (Documentation/bpf/btf.rst), and what a reader makes of a part of it. */

/** `BTF_KIND_*` of include/uapi/linux/btf.h. */
export const BtfKind = {
  Void: 0,
  Int: 1,
  Ptr: 2,
  Array: 3,
  Struct: 4,
  Union: 5,
  Enum: 6,
  Fwd: 7,
  Typedef: 8,
  Volatile: 9,
  Const: 10,
  Restrict: 11,
  Func: 12,
  FuncProto: 13,
  Var: 14,
  Datasec: 15,
  Float: 16,
  DeclTag: 17,
  TypeTag: 18,
  Enum64: 19,
} as const;

/** Bytes that follow the 12 of `struct btf_type`: a fixed part and a part per `vlen`, by kind. */
export const TAIL: readonly (readonly [fixed: number, each: number])[] = [
  [0, 0],
  [4, 0],
  [0, 0],
  [12, 0],
  [0, 12],
  [0, 12],
  [0, 8],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 0],
  [0, 8],
  [4, 0],
  [0, 12],
  [0, 0],
  [4, 0],
  [0, 0],
  [0, 12],
];

export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly type: number;
  /** Byte that holds the member's first bit. */
  readonly offset: number;
  /** Bytes of its type (for a bitfield: of the type it was declared with). */
  readonly size: number;
  /** Elements if the member is an array (the product of all dimensions), else 1. */
  readonly length: number;
  /** For a bitfield: first bit within the struct and width; else null. */
  readonly bits: { readonly offset: number; readonly width: number } | null;
}

export interface BtfVariable {
  readonly name: string;
  /** Within the section; 0 for every variable of an object no linker or libbpf has laid out yet. */
  readonly offset: number;
  readonly size: number;
  /** Its type's id. */
  readonly type: number;
  readonly signed: boolean;
}
