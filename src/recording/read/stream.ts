// SPDX-License-Identifier: MIT
/** A recording that arrives over a stream: stdin, a socket, a child's stdout. It may still be growing. */
import type { Readable } from 'node:stream';
import { openRecordingBytes, type RecordingSource } from './reader.js';

/**
 * Opens the recording that `readable` brings; settles once its head has arrived, batches come as they arrive.
 * `name` is what messages call it. Closing the source destroys the stream.
 * Rejects with a `UserError` (exit code 2) when what arrives is no recording.
 */
export function openStream(readable: Readable, name = 'standard input'): Promise<RecordingSource> {
  return openRecordingBytes(readable as AsyncIterable<Uint8Array>, name, () => {
    readable.destroy();
  });
}
