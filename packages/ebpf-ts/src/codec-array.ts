// SPDX-License-Identifier: MIT
/** Arrays: char arrays as strings, other integers as typed arrays, the rest as arrays of values. */
import type { Codec, Scalar } from './codec-scalar.js';
import { misuse } from './errors.js';

const TYPED = {
  'signed 1': Int8Array,
  'unsigned 1': Uint8Array,
  'signed 2': Int16Array,
  'unsigned 2': Uint16Array,
  'signed 4': Int32Array,
  'unsigned 4': Uint32Array,
  'signed 8': BigInt64Array,
  'unsigned 8': BigUint64Array,
  'float 4': Float32Array,
  'float 8': Float64Array,
} as const;

/** Name of the typed array that holds scalars of that kind, or null. */
export function typedArrayName({ kind, size }: Scalar): string | null {
  return TYPED[`${kind} ${size}` as keyof typeof TYPED]?.name ?? null;
}

export function arrayCodec(scalar: Scalar | null, element: () => Codec<unknown>, length: number): Codec<unknown> {
  if (scalar?.kind === 'char') return stringCodec(length);
  const codec = element();
  const size = codec.size * length;
  const Typed = scalar === null ? undefined : TYPED[`${scalar.kind} ${scalar.size}` as keyof typeof TYPED];
  return {
    size,
    decode(view, at) {
      if (Typed !== undefined) return new Typed(bytesAt(view, at, size).slice().buffer);
      return Array.from({ length }, (_, i) => codec.decode(view, at + i * codec.size));
    },
    encode(value, view, at, path) {
      const given = value as ArrayLike<unknown> | null | undefined;
      if (typeof given !== 'object' || given === null || given.length !== length)
        throw misuse(
          'ERR_BPF_SIZE',
          `write ${path}`,
          `expected ${length} elements, got ${given?.length ?? typeof value}`,
        );
      for (let i = 0; i < length; i++) codec.encode(given[i], view, at + i * codec.size, `${path}[${i}]`);
    },
  };
}

function bytesAt(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size);
}

/** UTF-8, to the first NUL. A string that fills the array has none, as the kernel's strncpy leaves it. */
function stringCodec(size: number): Codec<unknown> {
  return {
    size,
    decode(view, at) {
      const memory = bytesAt(view, at, size);
      const end = memory.indexOf(0);
      return Buffer.from(memory.buffer, memory.byteOffset, end < 0 ? size : end).toString('utf8');
    },
    encode(value, view, at, path) {
      const bytes = value instanceof Uint8Array ? value : typeof value === 'string' ? Buffer.from(value) : null;
      if (bytes === null) throw misuse('ERR_BPF_TYPE', `write ${path}`, `expected a string, got ${typeof value}`);
      if (bytes.length > size)
        throw misuse('ERR_BPF_SIZE', `write ${path}`, `${bytes.length} bytes do not fit its ${size}`);
      bytesAt(view, at, size).fill(0).set(bytes);
    },
  };
}
