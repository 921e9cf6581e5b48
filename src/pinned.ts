// SPDX-License-Identifier: MIT
/**
 * A file held for what it is and not by its name, which the owner of a directory on the way may give to another file
 * between a look and what follows it. O_PATH does nothing to it: no device notices, and no pipe waits.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';

/** asm-generic/fcntl.h, the same on x86-64 and arm64; Node does not name it. */
const O_PATH = 0o10_000_000;

export interface Pinned {
  /** What it is. */
  readonly is: BigIntStats;
  /** A path to it and to nothing else, until `close`. */
  readonly path: string;
  close(): void;
}

/** `follow`: what a link at the end of the path stands for, in place of the link. Throws the system's errors. */
export function pin(path: string, follow = false): Pinned {
  const fd = openSync(path, O_PATH | (follow ? 0 : constants.O_NOFOLLOW));
  return { is: fstatSync(fd, { bigint: true }), path: `/proc/self/fd/${fd}`, close: () => closeSync(fd) };
}
