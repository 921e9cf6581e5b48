// SPDX-License-Identifier: MIT
/** A recording in a file, or in the parts of a rotated one. */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode, errorCode, UserError } from '../../errors.js';
import { findParts, nextPart } from '../format/files.js';
import { readError } from '../format/read-errors.js';
import { type OpenOptions, openRecordingBytes, type Recording } from './reader.js';

/** A few messages per read. */
const CHUNK_BYTES = 1024 * 1024;
/** How often a file that is followed is looked at: a recorder writes about once a second. */
const FOLLOW_MS = 100;

export interface FileOptions extends OpenOptions {
  /** At the end of the file, wait for more until the session has ended or the source is closed. */
  readonly follow?: boolean;
  /** Called as bytes come: how many so far, and how many there were when it was opened, all parts together. */
  readonly onRead?: (done: number, total: number) => void;
  /** Called once when the bytes have ended, or the recording is closed. */
  readonly onDone?: () => void;
}

/**
 * Opens the recording at `path`. Where there is no such file but the parts of a recording of that name, those that are
 * there are read one behind the other. Rejects with a `UserError` (exit code 2) when it cannot be read or is none.
 */
export async function openFile(path: string, options: FileOptions = {}): Promise<Recording> {
  const files = new Files(path, options);
  try {
    await files.open();
  } catch (error) {
    await files.close();
    throw readError(path, error);
  }
  const onEnd = (): void => {
    files.ended = true;
    options.onEnd?.();
  };
  return openRecordingBytes(files.chunks(), path, () => files.close(), { ...options, onEnd });
}

class Files {
  /** The session has ended: there is nothing to wait for. */
  ended = false;
  readonly #path: string;
  readonly #follow: boolean;
  readonly #options: FileOptions;
  #done = 0;
  #total = 0;
  readonly #closed: AbortController = new AbortController();
  /** The one that is read and those behind it. All are opened at once: a recorder may delete old parts meanwhile. */
  readonly #files: { readonly path: string; readonly handle: FileHandle }[] = [];

  constructor(path: string, options: FileOptions) {
    this.#path = path;
    this.#options = options;
    this.#follow = options.follow === true;
  }

  async open(): Promise<void> {
    try {
      await this.#add(this.#path);
    } catch (error) {
      const parts = errorCode(error) === 'ENOENT' ? await findParts(this.#path) : [];
      if (parts.length === 0) throw error;
      for (const part of parts) {
        // The oldest may go just now.
        await this.#add(part.path).catch((gone: unknown) => {
          if (errorCode(gone) !== 'ENOENT' || this.#files.length > 0) throw gone;
        });
      }
      if (this.#files.length === 0) throw error;
    }
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let file = this.#files[0]; file !== undefined; file = this.#files[0]) {
      yield* this.#read(file.handle, file.path);
      this.#files.shift();
      await file.handle.close();
    }
    this.#options.onDone?.();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#options.onDone?.();
    for (const { handle } of this.#files.splice(0)) await handle.close();
  }

  async #add(path: string): Promise<void> {
    const handle = await open(path, 'r');
    this.#files.push({ path, handle });
    // A pipe has no size: it is not known how much comes.
    if (this.#options.onRead !== undefined) this.#total += (await handle.stat()).size;
  }

  async *#read(file: FileHandle, path: string): AsyncGenerator<Uint8Array> {
    const next = this.#follow ? nextPart(path) : null;
    let read = 0;
    for (;;) {
      // Asked for before the end is looked for: what is written before the next part begins must be seen.
      const goesOn = this.#files.length > 1 || (next !== null && (await this.#exists(next)));
      for (;;) {
        // A chunk of its own each time: the reader keeps what a message has not used up yet.
        const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
        // No position: a named pipe reads as well as a file.
        const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) break;
        read += bytesRead;
        this.#done += bytesRead;
        this.#options.onRead?.(this.#done, this.#total);
        yield buffer.subarray(0, bytesRead);
      }
      if (goesOn || !this.#follow || this.ended) return;
      const { size } = await file.stat();
      if (size < read) throw shrunk(path);
      await sleep(FOLLOW_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
      if (this.#closed.signal.aborted) return;
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#add(path);
      return true;
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }
}

function shrunk(path: string): UserError {
  return new UserError(
    `cannot follow ${path}`,
    'it became shorter: another recording was begun in its place',
    'follow it again',
    ExitCode.Usage,
  );
}
