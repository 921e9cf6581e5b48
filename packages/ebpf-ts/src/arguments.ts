// SPDX-License-Identifier: MIT
/** What callers give, before anything is done with it: JavaScript that is not compiled by TypeScript passes anything. */
import { types } from 'node:util';
import { misuse } from './errors.js';
import { shown } from './words.js';

/** Options, or throws `BpfError` for what has none. */
export function optionsOf<T extends object>(options: T, what: string): T {
  if (typeof options === 'object' && options !== null) return options;
  throw misuse('ERR_BPF_TYPE', what, `expected an object of options, got ${shown(options)}`);
}

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array) as Uint8ArrayConstructor;
/** What the engine knows: a subclass may say something else. */
function own(value: Uint8Array, key: 'buffer' | 'byteOffset' | 'byteLength'): never {
  return Object.getOwnPropertyDescriptor(TYPED_ARRAY.prototype, key)?.get?.call(value) as never;
}

/** The same memory as a plain array. Throws `BpfError` for anything but a Uint8Array. */
export function plainBytes(value: Uint8Array, what: string): Uint8Array {
  // Not instanceof: a prototype can be given to anything.
  if (!types.isUint8Array(value)) throw misuse('ERR_BPF_TYPE', what, `expected a Uint8Array, got ${shown(value)}`);
  // Of a detached one, which has no bytes, nothing can be made.
  if (own(value, 'byteLength') === 0) return new Uint8Array(0);
  if (value.constructor === Uint8Array || value.constructor === Buffer) return value;
  return new Uint8Array(own(value, 'buffer'), own(value, 'byteOffset'), own(value, 'byteLength'));
}

/** Exactly `size` bytes, or throws `BpfError`. A detached buffer has none. */
export function exactly(value: Uint8Array, size: number, what: string): Uint8Array {
  const plain = plainBytes(value, what);
  if (plain.length !== size) throw misuse('ERR_BPF_SIZE', what, `expected ${size} bytes and got ${plain.length}`);
  return plain;
}

/** A copy that is ours alone, whatever becomes of the original and whatever class it is of. Throws `BpfError`. */
export function copyOf(value: Uint8Array, what: string): Uint8Array {
  return Uint8Array.from(plainBytes(value, what));
}

/** A string C will read to its NUL; throws `BpfError` when it holds one before its end, or is no string. */
export function cString(value: string, what: string): string {
  if (typeof value !== 'string' || value.includes('\0'))
    throw misuse('ERR_BPF_TYPE', what, `expected a string without NUL, got ${shown(value)}`);
  return value;
}

/** An integer from `min` to `max`; throws `BpfError` otherwise. C would take the low bits of anything. */
export function integer(value: number, min: number, max: number, what: string): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw misuse('ERR_BPF_RANGE', what, `expected an integer from ${min} to ${max}, got ${shown(value)}`);
  return value;
}

/** A u64, from a bigint or an exact number. Throws `BpfError` otherwise. */
export function unsigned64(value: bigint | number, what: string): bigint {
  const wide = typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value) : -1n;
  if (wide < 0n || wide >= 2n ** 64n)
    throw misuse('ERR_BPF_RANGE', what, `expected an unsigned 64-bit integer, got ${shown(value)}`);
  return wide;
}

/** A list, as it is at this moment. Throws `BpfError` for what cannot be walked through. */
export function listOf<T>(values: Iterable<T>, what: string): T[] {
  const iterable = typeof values === 'object' && values !== null && typeof values[Symbol.iterator] === 'function';
  if (iterable && !(values instanceof TYPED_ARRAY)) return [...values];
  // Of these the engine itself complains: a detached one, and what has only the prototype.
  if (types.isTypedArray(values) && own(values as never, 'byteLength') === values.length * values.BYTES_PER_ELEMENT)
    return Array.from({ length: values.length }, (_, i) => values[i] as T);
  throw misuse('ERR_BPF_TYPE', what, `expected a list, got ${shown(values)}`);
}

/** Something to call, or throws `BpfError`. */
export function callable<T extends (...args: never[]) => unknown>(value: T, what: string): T {
  if (typeof value === 'function') return value;
  throw misuse('ERR_BPF_TYPE', what, `expected a function, got ${shown(value)}`);
}

/**
 * First argument of the constructors that take what libbpf gave: nobody else has it, so nobody else makes one of an address
 * that C would follow.
 */
export const OWN: unique symbol = Symbol('ebpf-ts');

/** Throws `BpfError` unless `key` is `OWN`. */
export function onlyOurs(key: unknown, name: string, instead: string): void {
  if (key !== OWN) throw misuse('ERR_BPF_TYPE', `construct a ${name}`, 'only the library itself can', instead);
}
