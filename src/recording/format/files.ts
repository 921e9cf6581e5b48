// SPDX-License-Identifier: MIT
/** A recording's files: one, or the parts of a rotated one. */
import { readdir, unlink } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { errorCode, fileError } from '../../errors.js';

/** `faults.vmlt`, 3 → `faults.0003.vmlt`. */
export function partPath(path: string, number: number): string {
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}.${String(number).padStart(4, '0')}${extension}`;
}

export interface PartFile {
  readonly path: string;
  readonly number: number;
}

/** The parts of the recording `path` that are there, in their order. Rejects as `readdir` does. */
export async function findParts(path: string): Promise<PartFile[]> {
  const extension = extname(path);
  const stem = `${basename(path, extension)}.`;
  const directory = dirname(path);
  const parts: PartFile[] = [];
  for (const name of await readdir(directory)) {
    if (!name.startsWith(stem) || !name.endsWith(extension)) continue;
    const digits = name.slice(stem.length, name.length - extension.length);
    if (/^\d{4,15}$/.test(digits)) parts.push({ path: join(directory, name), number: Number(digits) });
  }
  return parts.sort((x, y) => x.number - y.number);
}

/** The path of the part behind this one; null when the name is not that of a part. */
export function nextPart(path: string): string | null {
  const match = /^(.+)\.(\d{4,15})(\.[^./]*)?$/.exec(path);
  return match ? partPath(`${match[1]}${match[3] ?? ''}`, Number(match[2]) + 1) : null;
}

/** Deletes it; whether it was there does not matter. Rejects with a `UserError`. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw fileError(`cannot delete ${path}`, error);
  });
}
