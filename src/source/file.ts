// SPDX-License-Identifier: MIT
/** A recording in a file. */
import { type FileHandle, open } from 'node:fs/promises';
import { readError } from '../recording/read-errors.js';
import { openRecordingBytes, type RecordingSource } from '../recording/reader.js';

/** A few messages per read. */
const CHUNK_BYTES = 1024 * 1024;

async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    // A chunk of its own each time: the reader keeps what a message has not used up yet.
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    // No position: a named pipe reads as well as a file.
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** Opens the recording at `path`. Rejects with a `UserError` (exit code 2) when it cannot be read or is none. */
export async function openFile(path: string): Promise<RecordingSource> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    throw readError(path, error);
  }
  return openRecordingBytes(chunksOf(file), path, () => file.close());
}
