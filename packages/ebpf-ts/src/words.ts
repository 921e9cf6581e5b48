// SPDX-License-Identifier: MIT
/** Values in messages. What is wrong may be anything, and a message about it must not fail itself. */
import { types } from 'node:util';

/** For messages: any value in a few words. Never throws, which `String` does of objects without a prototype. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : types.isUint8Array(value) ? 'a Uint8Array' : 'an object';
}

/** Template of a message whose strings and numbers stand as they are. */
export function say(parts: TemplateStringsArray, ...values: readonly unknown[]): string {
  const word = (value: unknown): string =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : shown(value);
  return parts.map((part, i) => (i === 0 ? part : word(values[i - 1]) + part)).join('');
}
