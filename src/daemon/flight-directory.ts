// SPDX-License-Identifier: MIT
/** Directories of flight recordings and of the lake: there, and ours to write to once we are nobody in particular. */
import { accessSync, constants, lchownSync, mkdirSync } from 'node:fs';
import { fileError } from '../errors.js';
import type { User } from '../privileges/users.js';

/** Before privileges go: makes the directory if it is not there, and gives it to `user`. Throws a `UserError`. */
export function makeFlightDirectory(directory: string, user: User | null): void {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o750 });
    // One that was there is somebody's: its owner stays.
    if (made !== undefined && user !== null) lchownSync(directory, user.uid, user.gid);
  } catch (error) {
    throw fileError(`cannot make ${directory}`, error);
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
