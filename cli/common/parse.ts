// SPDX-License-Identifier: MIT
/** What the words behind options may be: each is checked once, and the error says what it must be. */
import { InvalidArgumentError } from 'commander';
import { HOOKS } from '../../src/live/hooks.js';
import { parseWhen, type When } from '../../src/recording/read/when.js';

export type StackKind = 'kernel' | 'user';

/** pid_max cannot pass 2^22 (PID_MAX_LIMIT, include/linux/threads.h). */
const MAX_PID = 2 ** 22;
/** setTimeout counts milliseconds in 31 bits. */
const MAX_SECONDS = 2_147_483;

function decimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** Seconds, fractions allowed: (0, 2147483]. A trailing `s` is accepted. */
export function parseSeconds(text: string): number {
  const seconds = decimal(text.replace(/s$/, ''));
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new InvalidArgumentError(`It must be a number of seconds above 0 and up to ${MAX_SECONDS}.`);
  }
  return seconds;
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `15m`, `2h`, `1d`, in seconds: (0, 2147483]. */
export function parseSpan(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text);
  const seconds = match ? Number(match[1]) * (SECONDS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  if (!(seconds > 0 && seconds <= MAX_SECONDS))
    throw new InvalidArgumentError('It must be a time such as 90, 90s, 15m, 2h or 1d.');
  return seconds;
}

/** A time in a recording, as `parseWhen` reads it. */
export function parseTime(text: string): When {
  const when = parseWhen(text);
  if (when === null)
    throw new InvalidArgumentError('It must be a time such as 12.5, 3m, 23:59:07 or 2026-03-01T23:59:07Z.');
  return when;
}

/** 1 or more. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= 1 && Number.isSafeInteger(count)))
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return count;
}

/** A factor above 0: 1 is the recorded pace. */
export function parseSpeed(text: string): number {
  const speed = decimal(text);
  if (!(speed > 0 && speed <= 1e6)) throw new InvalidArgumentError('It must be a number above 0 and up to 1000000.');
  return speed;
}

/** Microseconds: an integer in [0, 4294967295]. */
export function parseMicroseconds(text: string): number {
  const us = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(us <= 0xffffffff)) throw new InvalidArgumentError('It must be a whole number of microseconds.');
  return us;
}

/** `12` or `12,34`, repeatable. */
export function parseIds(text: string, earlier: readonly number[] = []): readonly number[] {
  const ids = text.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  if (!ids.every((id) => id >= 1 && id <= MAX_PID)) {
    throw new InvalidArgumentError(`It must be a number between 1 and ${MAX_PID}, or several with commas between.`);
  }
  return [...earlier, ...ids];
}

/** `kernel`, `user`, or both with a comma between. */
export function parseStacks(text: string): readonly StackKind[] {
  const kinds = text.split(',');
  if (!kinds.every((kind) => kind === 'kernel' || kind === 'user'))
    throw new InvalidArgumentError('It must be kernel, user or kernel,user.');
  return kinds as StackKind[];
}

/** `a` or `a,b`, repeatable: hooks as doctor names them. */
export function parseHooks(text: string, earlier: readonly string[] = []): readonly string[] {
  const names = text.split(',');
  const known = new Set(HOOKS.map(({ target }) => target));
  const strange = names.find((name) => !known.has(name));
  if (strange !== undefined)
    throw new InvalidArgumentError(`There is no hook ${JSON.stringify(strange)}: vmalocktop doctor lists them.`);
  return [...earlier, ...names];
}

/** Task names are 15 bytes and a NUL (TASK_COMM_LEN). */
export function parseComm(text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0 || bytes > 15) throw new InvalidArgumentError('A task name has 1 to 15 bytes.');
  return text;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const MIN_RING = 2 ** 12;
const MAX_RING = 2 ** 30;

function parseBytes(text: string): number {
  const match = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(text);
  return match ? Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN) : Number.NaN;
}

const MIN_SIZE = 64 * 2 ** 10;

/** `64M`, `1G`, `1000000`: bytes of a recording, from 64K on (one batch may have as many). */
export function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (!(bytes >= MIN_SIZE && Number.isSafeInteger(bytes)))
    throw new InvalidArgumentError('It must be a size from 64K on.');
  return bytes;
}

/** `16M`, `65536`: a power of two from 4K to 1G, as the kernel's ring buffer wants it (ringbuf_map_alloc). */
export function parseRingSize(text: string): number {
  const bytes = parseBytes(text);
  if (!(bytes >= MIN_RING && bytes <= MAX_RING && Number.isInteger(Math.log2(bytes)))) {
    throw new InvalidArgumentError('It must be a power of two from 4K to 1G.');
  }
  return bytes;
}
