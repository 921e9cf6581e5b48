// SPDX-License-Identifier: MIT
/** The files of a recording as they are now, to be read more than once: whatever is deleted or appended meanwhile. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { errorCode } from '../../errors.js';
import { findParts } from '../format/files.js';
import { readError } from '../format/read-errors.js';

/** A few messages per read. */
const CHUNK_BYTES = 1024 * 1024;

export interface HeldFiles {
  /** All bytes from the first on; may be called again, also while another reading is under way. */
  chunks(): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

interface Held {
  readonly handle: FileHandle;
  /** Bytes when it was opened. */
  readonly size: number;
}

/**
 * Opens the regular file at `path`, or the parts of the recording of that name.
 * Rejects with a `UserError` (exit code 2) when there is none to be read.
 */
export async function holdFiles(path: string): Promise<HeldFiles> {
  const held: Held[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of held.splice(0)) await handle.close();
  };
  try {
    for (const file of await filesOf(path)) {
      const handle = await open(file, 'r').catch((error: unknown) => {
        // The recorder may delete its oldest part just now.
        if (errorCode(error) === 'ENOENT' && file !== path && held.length === 0) return null;
        throw error;
      });
      if (handle !== null) held.push({ handle, size: (await handle.stat()).size });
    }
  } catch (error) {
    await close();
    throw readError(path, error);
  }
  return { chunks: () => chunksOf(held), close };
}

async function filesOf(path: string): Promise<string[]> {
  try {
    await stat(path);
    return [path];
  } catch (error) {
    const parts = errorCode(error) === 'ENOENT' ? await findParts(path).catch(() => []) : [];
    if (parts.length === 0) throw error;
    return parts.map((part) => part.path);
  }
}

async function* chunksOf(held: readonly Held[]): AsyncGenerator<Uint8Array> {
  for (const { handle, size } of held) {
    for (let at = 0; at < size; ) {
      // A chunk of its own each time: the reader keeps what a message has not used up yet.
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, size - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}
