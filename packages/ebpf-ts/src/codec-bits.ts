// SPDX-License-Identifier: MIT
/** Bitfields: read and written within the bytes they touch, their neighbours left alone. */
import type { Btf } from './btf.js';
import { type Codec, scalarOf, whole, wholeWide } from './codec-scalar.js';

/** Up to 32 bits a number, beyond that a bigint. `offset` is that of the first byte touched, within the struct. */
export function bitfieldCodec(
  btf: Btf,
  type: number,
  bits: { readonly offset: number; readonly width: number },
): { readonly codec: Codec<unknown>; readonly offset: number } {
  const { width } = bits;
  const scalar = scalarOf(btf, btf.skip(type));
  const signed = scalar?.kind === 'signed' || scalar?.kind === 'char';
  const shift = BigInt(bits.offset & 7);
  const size = Math.ceil(((bits.offset & 7) + width) / 8);
  const mask = (1n << BigInt(width)) - 1n;
  const raw = (view: DataView, at: number): bigint => {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(view.getUint8(at + i));
    return value;
  };
  const check = (value: unknown, path: string): bigint =>
    width <= 32
      ? BigInt(
          signed
            ? whole(value, -(2 ** (width - 1)), 2 ** (width - 1) - 1, path)
            : whole(value, 0, 2 ** width - 1, path),
        )
      : wholeWide(value, width, signed, path);
  const codec: Codec<unknown> = {
    size,
    decode(view, at) {
      const field = (raw(view, at) >> shift) & mask;
      const value = signed ? BigInt.asIntN(width, field) : field;
      if (scalar?.kind === 'bool') return value !== 0n;
      return width <= 32 ? Number(value) : value;
    },
    encode(value, view, at, path) {
      const field = check(value, path) & mask;
      let rest = (raw(view, at) & ~(mask << shift)) | (field << shift);
      for (let i = 0; i < size; i++, rest >>= 8n) view.setUint8(at + i, Number(rest & 0xffn));
    },
  };
  return { codec, offset: bits.offset >>> 3 };
}
