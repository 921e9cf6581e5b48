// SPDX-License-Identifier: MIT
/** BTF that is given to libbpf must hold together: libbpf follows its type ids and names without asking. */
import { BtfKind } from './btf-kinds.js';
import { type BtfTable, badBtf } from './btf-table.js';

/** Kinds whose second word names a type. */
const REFERS: ReadonlySet<number> = new Set([
  BtfKind.Ptr,
  BtfKind.Typedef,
  BtfKind.Volatile,
  BtfKind.Const,
  BtfKind.Restrict,
  BtfKind.Func,
  BtfKind.FuncProto,
  BtfKind.Var,
  BtfKind.DeclTag,
  BtfKind.TypeTag,
]);
/** Kinds with parts: bytes of a part, where its name and its type are in it (-1: none). */
const PARTS: Readonly<Record<number, readonly [stride: number, name: number, type: number]>> = {
  [BtfKind.Struct]: [12, 0, 4],
  [BtfKind.Union]: [12, 0, 4],
  [BtfKind.Enum]: [8, 0, -1],
  [BtfKind.FuncProto]: [8, 0, 4],
  [BtfKind.Datasec]: [12, -1, 0],
  [BtfKind.Enum64]: [12, 0, -1],
};

/** Throws `BpfError` when a type refers to one that is not there, or of a kind that cannot be, or a name lies outside the strings. */
export function verifyBtf(btf: BtfTable): void {
  const known = (id: number, from: number): void => {
    if (id >= btf.count) throw badBtf(`type ${from} refers to type ${id}, which is not there`);
  };
  for (let id = 1; id < btf.count; id++) {
    const kind = btf.kind(id);
    if (kind === BtfKind.Void) throw badBtf(`type ${id} is void`);
    btf.name(id);
    if (REFERS.has(kind)) known(btf.target(id), id);
    if (kind === BtfKind.Func && btf.kind(btf.target(id)) !== BtfKind.FuncProto)
      throw badBtf(`function ${btf.name(id)} has no prototype`);
    if (kind === BtfKind.Array) {
      known(btf.word(id, 12), id);
      known(btf.word(id, 16), id);
    }
    const [stride, name, type] = PARTS[kind] ?? [0, -1, -1];
    for (let i = 0; stride > 0 && i < btf.vlen(id); i++) {
      const at = 12 + i * stride;
      if (name >= 0) btf.string(btf.word(id, at + name));
      if (type >= 0) known(btf.word(id, at + type), id);
      if (
        kind === BtfKind.Datasec &&
        btf.kind(btf.word(id, at)) !== BtfKind.Var &&
        btf.kind(btf.word(id, at)) !== BtfKind.Func
      )
        throw badBtf(`section ${btf.name(id)} holds what is no variable`);
    }
    if (kind === BtfKind.Ptr || (kind >= BtfKind.Typedef && kind <= BtfKind.Restrict)) endless(btf, id);
  }
}

/** A chain of pointers and qualifiers that comes back to itself without a struct between would be followed for ever. */
function endless(btf: BtfTable, id: number): void {
  let type = id;
  for (let steps = 0; steps < 1000; steps++) {
    const kind = btf.kind(type);
    if (kind !== BtfKind.Ptr && !(kind >= BtfKind.Typedef && kind <= BtfKind.Restrict) && kind !== BtfKind.TypeTag)
      return;
    type = btf.target(type);
  }
  throw badBtf(`type ${id} refers to itself`);
}
