// SPDX-License-Identifier: MIT
/** The files of a recording: one, or the parts of a rotated one; and what is in them, chunk by chunk. */
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../errors.js';
import { findParts } from '../format/files.js';

/** A few messages per read. */
const CHUNK_BYTES = 1024 * 1024;

export interface OpenPart {
  readonly path: string;
  readonly handle: FileHandle;
  /** Bytes when it was opened; 0 of a pipe, of which it is not known how much comes. */
  readonly size: number;
}

export async function openPart(path: string): Promise<OpenPart> {
  const handle = await open(path, 'r');
  try {
    return { path, handle, size: (await handle.stat()).size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Opens the file at `path`, or where there is none the parts of the recording of that name, oldest first. All at once: a
 * recorder may delete old parts meanwhile. Rejects with what the file system said.
 */
export async function openParts(path: string): Promise<OpenPart[]> {
  const opened: OpenPart[] = [];
  try {
    opened.push(await openPart(path));
    return opened;
  } catch (error) {
    const parts = errorCode(error) === 'ENOENT' ? await findParts(path) : [];
    try {
      for (const part of parts) {
        const found = await openPart(part.path).catch((gone: unknown) => {
          // The recorder may delete its oldest part just now.
          if (errorCode(gone) === 'ENOENT' && opened.length === 0) return null;
          throw gone;
        });
        if (found !== null) opened.push(found);
      }
    } catch (broken) {
      await closeParts(opened);
      throw broken;
    }
    if (opened.length === 0) throw error;
    return opened;
  }
}

/** Closes and forgets them. */
export async function closeParts(parts: OpenPart[]): Promise<void> {
  for (const { handle } of parts.splice(0)) await handle.close();
}

/**
 * What the file holds up to its end as it is now, each chunk in memory of its own: a reader keeps what a message has not
 * used up yet. `to`: bytes from its beginning on, which may be read while others read it too; null: on from where the last
 * reading ended, as a pipe must be.
 */
export async function* chunksOf(handle: FileHandle, to: number | null): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; to === null || at < to; ) {
    const buffer = Buffer.allocUnsafeSlow(to === null ? CHUNK_BYTES : Math.min(CHUNK_BYTES, to - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, to === null ? null : at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
