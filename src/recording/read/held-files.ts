// SPDX-License-Identifier: MIT
/** The files of a recording as they are now, to be read more than once: whatever is deleted or appended meanwhile. */
import { readError } from '../format/read-errors.js';
import { chunksOf, closeParts, openParts } from './parts.js';

export interface HeldFiles {
  /** All bytes from the first on; may be called again, also while another reading is under way. */
  chunks(): AsyncGenerator<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens the regular file at `path`, or the parts of the recording of that name.
 * Rejects with a `UserError` (exit code 2) when there is none to be read.
 */
export async function holdFiles(path: string): Promise<HeldFiles> {
  const held = await openParts(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  return {
    async *chunks() {
      for (const { handle, size } of held) yield* chunksOf(handle, size);
    },
    close: () => closeParts(held),
  };
}
