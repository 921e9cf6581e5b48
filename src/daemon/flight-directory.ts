// SPDX-License-Identifier: MIT
/** Directories of flight recordings and of the lake: there, and ours to write to once we are nobody in particular. */
import { accessSync, chownSync, constants, mkdirSync, readdirSync } from 'node:fs';
import { fileError } from '../errors.js';
import { pin } from '../pinned.js';
import type { User } from '../privileges/users.js';

/** Before privileges go: makes the directory if it is not there, and gives it to `user`. Throws a `UserError`. */
export function makeFlightDirectory(directory: string, user: User | null): void {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o750 });
    // One that was there is somebody's: its owner stays.
    if (made !== undefined && user !== null) giveAway(directory, user);
  } catch (error) {
    throw fileError(`cannot make ${directory}`, error);
  }
}

/**
 * The directory that was just made, to `user`. The owner of a directory on the way may have put another in its place, or a
 * link on the way to one of root's: it is given only where it is as it was made. Throws the system's errors.
 */
export function giveAway(directory: string, user: User): void {
  const found = pin(directory);
  try {
    if (
      !found.is.isDirectory() ||
      found.is.uid !== BigInt(process.geteuid?.() ?? -1) ||
      readdirSync(found.path).length > 0
    )
      throw Object.assign(new Error('somebody else put something in its place'), { code: 'EEXIST' });
    chownSync(found.path, user.uid, user.gid);
  } finally {
    found.close();
  }
}

/** After they have gone: throws a `UserError` when nothing can be written there. Better now than in the night it is needed. */
export function checkFlightDirectory(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError(`cannot write files to ${directory}`, error);
  }
}
