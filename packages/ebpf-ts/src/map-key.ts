// SPDX-License-Identifier: MIT
/** Keys as they are given, as the bytes the kernel reads. */

import { exactly } from './arguments.js';
import { misuse } from './errors.js';
import { bytes } from './memory.js';
import { shown } from './words.js';

/** A key as bytes, or as a number where the map's keys are 4 or 8 bytes of an unsigned integer. */
export type Key = Uint8Array | number | bigint;

/** Exactly `keySize` bytes; throws `BpfError` when the key is of another size or does not fit. */
export function keyBytes(key: Key, keySize: number, doing: string): Uint8Array {
  const what = `${doing}: key`;
  if (typeof key === 'object') return exactly(key, keySize, what);
  if (keySize !== 4 && keySize !== 8) throw misuse('ERR_BPF_SIZE', what, `a number is no key of ${keySize} bytes`);
  if (typeof key === 'number' ? !Number.isSafeInteger(key) || key < 0 : typeof key !== 'bigint' || key < 0n)
    throw misuse('ERR_BPF_RANGE', what, `expected an unsigned integer, got ${shown(key)}`);
  if (BigInt(key) >= 2n ** BigInt(8 * keySize))
    throw misuse('ERR_BPF_RANGE', what, `${key} does not fit ${keySize} bytes`);
  const made = bytes(keySize);
  const view = new DataView(made.buffer, made.byteOffset);
  if (keySize === 4) view.setUint32(0, Number(key), true);
  else view.setBigUint64(0, BigInt(key), true);
  return made;
}
