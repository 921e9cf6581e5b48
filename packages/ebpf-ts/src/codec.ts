// SPDX-License-Identifier: MIT
/**
 * Values from bytes and bytes from values, by BTF: a type is compiled once into closures that read and write at fixed offsets.
 *
 *     integer up to 32 bits, enum      number          pointer, 64- and 128-bit integer   bigint
 *     _Bool                            boolean         float, double                      number
 *     char[n]                          string, to its NUL or its end
 *     array of other integers          Uint8Array … BigUint64Array (a copy); of anything else: an array
 *     struct                           an object; members of anonymous structs and unions count as its own
 *     union                            an object with every member read; to write one, give one member
 */
import { types } from 'node:util';
import { integer } from './arguments.js';
import { Btf } from './btf.js';
import { BtfKind, type BtfMember } from './btf-kinds.js';
import { badBtf } from './btf-table.js';
import { arrayCodec } from './codec-array.js';
import { bitfieldCodec } from './codec-bits.js';
import { type Codec, intCodec, scalarOf } from './codec-scalar.js';
import { misuse } from './errors.js';
import { shown } from './words.js';

const MAX_NESTING = 32;
type Fields = Record<string, unknown>;

/** The codec of type `id`. Throws `BpfError` for what has no values (functions, void, types that are only declared). */
export function codecOf<T = unknown>(btf: Btf, id: number): Codec<T> {
  const what = 'read values by their type';
  if (!(btf instanceof Btf)) throw misuse('ERR_BPF_TYPE', what, `expected a Btf, got ${shown(btf)}`);
  const { size, decode, encode } = compile(btf, id, 0) as Codec<T>;
  // A codec within a codec asks no more: what holds the whole holds its parts.
  const within = (view: DataView, at: number): void => {
    if (!types.isDataView(view)) throw misuse('ERR_BPF_TYPE', what, `expected a DataView, got ${shown(view)}`);
    integer(at, 0, view.byteLength, `${what}: offset`);
    if (at + size > view.byteLength)
      throw misuse('ERR_BPF_SIZE', what, `${size} bytes at ${at} do not fit ${view.byteLength}`);
  };
  return {
    size,
    decode: (view, at) => {
      within(view, at);
      return decode(view, at);
    },
    encode: (value, view, at, path) => {
      within(view, at);
      encode(value, view, at, path);
    },
  };
}

function compile(btf: Btf, id: number, depth: number): Codec<unknown> {
  if (depth > MAX_NESTING) throw badBtf(`type ${id} is nested too deep`);
  const type = btf.skip(id);
  switch (btf.kind(type)) {
    case BtfKind.Struct:
      return structCodec(btf, type, depth);
    case BtfKind.Union:
      return unionCodec(btf, type, depth);
    case BtfKind.Array: {
      const { type: element, length } = btf.arrayOf(type);
      return arrayCodec(scalarOf(btf, btf.skip(element)), () => compile(btf, element, depth + 1), length);
    }
    default: {
      const scalar = scalarOf(btf, type);
      if (scalar === null)
        throw misuse('ERR_BPF_TYPE', `read values of type ${btf.name(id) || id}`, 'it has no values of its own');
      return intCodec(scalar);
    }
  }
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly codec: Codec<unknown>;
}

/** Members in the order of the struct. An anonymous member is a field without a name, whose own fields are the struct's. */
function fieldsOf(btf: Btf, id: number, depth: number): readonly Field[] {
  return btf.members(id).flatMap((member: BtfMember): Field[] => {
    if (member.bits !== null) {
      if (member.name === '') return []; // padding: `unsigned : 5`
      const { codec, offset } = bitfieldCodec(btf, member.type, member.bits);
      return [{ name: member.name, offset, codec }];
    }
    return [{ name: member.name, offset: member.offset, codec: compile(btf, member.type, depth + 1) }];
  });
}

function record(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields;
  throw misuse('ERR_BPF_TYPE', `write ${path}`, `expected an object, got ${value === null ? 'null' : typeof value}`);
}

function structCodec(btf: Btf, id: number, depth: number): Codec<Fields> {
  const fields = fieldsOf(btf, id, depth);
  return {
    size: btf.sizeOf(id),
    decode(view, at) {
      const value: Fields = {};
      for (const { name, offset, codec } of fields) {
        if (name === '') Object.assign(value, codec.decode(view, at + offset));
        else value[name] = codec.decode(view, at + offset);
      }
      return value;
    },
    encode(value, view, at, path) {
      const given = record(value, path);
      for (const { name, offset, codec } of fields) {
        if (name === '') codec.encode(given, view, at + offset, path);
        else if (name in given) codec.encode(given[name], view, at + offset, `${path}.${name}`);
        else throw misuse('ERR_BPF_TYPE', `write ${path}`, `it lacks ${name}`);
      }
    },
  };
}

/** Names a value may give for a union's member: those of an anonymous struct in it are its own. */
function namesOf(btf: Btf, member: BtfMember): readonly string[] {
  return member.name !== '' ? [member.name] : btf.members(btf.skip(member.type)).flatMap((m) => namesOf(btf, m));
}

function unionCodec(btf: Btf, id: number, depth: number): Codec<Fields> {
  const fields = fieldsOf(btf, id, depth);
  const named = btf.members(id).filter((m) => m.bits === null || m.name !== '');
  const names = named.map((m) => namesOf(btf, m));
  return {
    size: btf.sizeOf(id),
    decode(view, at) {
      const value: Fields = {};
      for (const { name, offset, codec } of fields) {
        if (name === '') Object.assign(value, codec.decode(view, at + offset));
        else value[name] = codec.decode(view, at + offset);
      }
      return value;
    },
    encode(value, view, at, path) {
      const given = record(value, path);
      const chosen = fields.filter((_, i) => names[i]?.some((name) => name in given));
      const [field] = chosen;
      if (field === undefined || chosen.length > 1)
        throw misuse(
          'ERR_BPF_TYPE',
          `write ${path}`,
          `a union takes exactly one of ${names.map((n) => n.join(' with ')).join(', ')}`,
        );
      const inner = field.name === '' ? given : given[field.name];
      field.codec.encode(inner, view, at + field.offset, field.name === '' ? path : `${path}.${field.name}`);
    },
  };
}
