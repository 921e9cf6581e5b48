// SPDX-License-Identifier: MIT
/** Where the daemon's flight recorder is written to: a file for each time, and no more of them than were asked for. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeftOver } from '../output/new-file.js';
import { removeFile } from '../recording/format/files.js';
import type { FlightRecorder } from '../recording/write/flight.js';

const NAME = /^flight-\d{8}T\d{9}Z\.vmlt$/;

/** `flight-20260301T120000123Z.vmlt`: they sort by time. */
function nameAt(time: Date): string {
  return `flight-${time.toISOString().replaceAll(/[-:.]/g, '')}.vmlt`;
}

/** Writes what is kept to a new file in `directory`, then deletes the oldest of ours beyond `files`, and what a killed daemon left half written. Resolves to the file; rejects with a `UserError`. */
export async function dumpFlight(
  flight: FlightRecorder,
  directory: string,
  files: number,
  why: string,
  now: Date = new Date(),
): Promise<string> {
  const path = join(directory, nameAt(now));
  await flight.dumpTo(path, why);
  const names = await readdir(directory);
  const ours = names.filter((name) => NAME.test(name)).sort();
  for (const name of ours.slice(0, Math.max(0, ours.length - files))) {
    // Where an alert and a signal ask at the same time, both find the same oldest ones.
    await removeFile(join(directory, name));
  }
  for (const name of names) {
    const found = await lstat(join(directory, name)).catch(() => null);
    if (found?.isFile() && isLeftOver(name, found.mtimeMs)) await removeFile(join(directory, name));
  }
  return path;
}
