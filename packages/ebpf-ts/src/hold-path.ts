// SPDX-License-Identifier: MIT
/** A descriptor of what a path names, for calls that want no more of it. */
import { openSync } from 'node:fs';
import { cString } from './arguments.js';
import { ofFiles } from './errors.js';

/** include/uapi/asm-generic/fcntl.h; Node does not name it. */
const O_PATH = 0o10000000;

/** It is not opened: a pipe is not waited for, a device does nothing. Throws `BpfError`. */
export function holdPath(path: string, what: string): number {
  return ofFiles(what, () => openSync(cString(path, what), O_PATH));
}
