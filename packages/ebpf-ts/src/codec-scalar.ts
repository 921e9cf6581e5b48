// SPDX-License-Identifier: MIT
/** Integers, enums, pointers, floats and booleans. */
import type { Btf } from './btf.js';
import { BtfKind } from './btf-kinds.js';
import { misuse } from './errors.js';
import { shown } from './words.js';

export interface Codec<T> {
  /** Bytes. */
  readonly size: number;
  decode(view: DataView, at: number): T;
  /** Writes all `size` bytes, padding left as it is. Throws `BpfError` when the value does not fit; `path` names it there. */
  encode(value: T, view: DataView, at: number, path: string): void;
}

export interface Scalar {
  readonly size: number;
  readonly kind: 'signed' | 'unsigned' | 'bool' | 'float' | 'char';
}

/** BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL */
const SIGNED = 1;
const BOOL = 4;

/** What a type without typedefs and qualifiers is as a scalar; null when it is none. */
export function scalarOf(btf: Btf, type: number): Scalar | null {
  switch (btf.kind(type)) {
    case BtfKind.Int: {
      const encoding = btf.word(type, 12) >>> 24;
      const size = btf.word(type, 8);
      if (encoding & BOOL) return { size, kind: 'bool' };
      // clang writes `char` as a signed int of that name, and does not set BTF_INT_CHAR.
      if (size === 1 && btf.name(type) === 'char') return { size, kind: 'char' };
      return { size, kind: encoding & SIGNED ? 'signed' : 'unsigned' };
    }
    case BtfKind.Ptr:
      return { size: 8, kind: 'unsigned' };
    case BtfKind.Enum:
    case BtfKind.Enum64:
      return { size: btf.word(type, 8), kind: btf.info(type) >>> 31 === 1 ? 'signed' : 'unsigned' };
    case BtfKind.Float:
      return { size: btf.word(type, 8), kind: 'float' };
    default:
      return null;
  }
}

/** A number as an integer within [min, max], or throws `BpfError`. */
export function whole(value: unknown, min: number, max: number, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  if (typeof value === 'bigint' && value >= BigInt(min) && value <= BigInt(max)) return Number(value);
  if (typeof value === 'boolean' && max >= 1) return Number(value);
  throw misuse('ERR_BPF_RANGE', `write ${path}`, `expected an integer from ${min} to ${max}, got ${shown(value)}`);
}

/** A value as an integer of `bits` bits, or throws `BpfError`. */
export function wholeWide(value: unknown, bits: number, signed: boolean, path: string): bigint {
  const exact = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  const wide = exact ? BigInt(value as bigint | number) : null;
  if (wide !== null && (signed ? BigInt.asIntN(bits, wide) : BigInt.asUintN(bits, wide)) === wide) return wide;
  const what = `${signed ? 'a signed' : 'an unsigned'} integer of ${bits} bits`;
  throw misuse('ERR_BPF_RANGE', `write ${path}`, `expected ${what}, got ${shown(value)}`);
}

function float(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  throw misuse('ERR_BPF_TYPE', `write ${path}`, `expected a number, got ${typeof value}`);
}

export function intCodec({ size, kind }: Scalar): Codec<unknown> {
  if (kind === 'bool')
    return {
      size,
      decode: (view, at) => view.getUint8(at) !== 0,
      encode: (value, view, at, path) => view.setUint8(at, whole(value, 0, 1, path)),
    };
  if (kind === 'float' && size === 4)
    return {
      size,
      decode: (view, at) => view.getFloat32(at, true),
      encode: (value, view, at, path) => view.setFloat32(at, float(value, path), true),
    };
  if (kind === 'float' && size === 8)
    return {
      size,
      decode: (view, at) => view.getFloat64(at, true),
      encode: (value, view, at, path) => view.setFloat64(at, float(value, path), true),
    };
  const signed = kind !== 'unsigned';
  switch (size) {
    case 1:
      return signed
        ? {
            size,
            decode: (view, at) => view.getInt8(at),
            encode: (value, view, at, path) => view.setInt8(at, whole(value, -128, 127, path)),
          }
        : {
            size,
            decode: (view, at) => view.getUint8(at),
            encode: (value, view, at, path) => view.setUint8(at, whole(value, 0, 255, path)),
          };
    case 2:
      return signed
        ? {
            size,
            decode: (view, at) => view.getInt16(at, true),
            encode: (value, view, at, path) => view.setInt16(at, whole(value, -32768, 32767, path), true),
          }
        : {
            size,
            decode: (view, at) => view.getUint16(at, true),
            encode: (value, view, at, path) => view.setUint16(at, whole(value, 0, 65535, path), true),
          };
    case 4:
      return signed
        ? {
            size,
            decode: (view, at) => view.getInt32(at, true),
            encode: (value, view, at, path) => view.setInt32(at, whole(value, -(2 ** 31), 2 ** 31 - 1, path), true),
          }
        : {
            size,
            decode: (view, at) => view.getUint32(at, true),
            encode: (value, view, at, path) => view.setUint32(at, whole(value, 0, 2 ** 32 - 1, path), true),
          };
    case 8:
      return signed
        ? {
            size,
            decode: (view, at) => view.getBigInt64(at, true),
            encode: (value, view, at, path) => view.setBigInt64(at, wholeWide(value, 64, true, path), true),
          }
        : {
            size,
            decode: (view, at) => view.getBigUint64(at, true),
            encode: (value, view, at, path) => view.setBigUint64(at, wholeWide(value, 64, false, path), true),
          };
    default:
      return wideCodec(size, signed);
  }
}

/** __int128, and integers of odd sizes: byte by byte. */
function wideCodec(size: number, signed: boolean): Codec<unknown> {
  return {
    size,
    decode(view, at) {
      let value = 0n;
      for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
      return signed ? BigInt.asIntN(8 * size, value) : value;
    },
    encode(value, view, at, path) {
      let rest = wholeWide(value, 8 * size, signed, path);
      for (let i = 0; i < size; i++, rest >>= 8n) view.setUint8(at + i, Number(rest & 0xffn));
    },
  };
}
