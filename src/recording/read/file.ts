// SPDX-License-Identifier: MIT
/** A recording in a file, or in the parts of a rotated one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode, errorCode, UserError } from '../../errors.js';
import { nextPart } from '../format/files.js';
import { readError } from '../format/read-errors.js';
import { chunksOf, closeParts, type OpenPart, openPart, openParts } from './parts.js';
import { type OpenOptions, openRecordingBytes, type Recording } from './reader.js';

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
  /** The one that is read and those behind it. */
  readonly #files: OpenPart[] = [];

  constructor(path: string, options: FileOptions) {
    this.#path = path;
    this.#options = options;
    this.#follow = options.follow === true;
  }

  async open(): Promise<void> {
    for (const part of await openParts(this.#path)) this.#add(part);
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let file = this.#files[0]; file !== undefined; file = this.#files[0]) {
      yield* this.#read(file);
      this.#files.shift();
      await file.handle.close();
    }
    this.#options.onDone?.();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#options.onDone?.();
    await closeParts(this.#files);
  }

  #add(part: OpenPart): void {
    this.#files.push(part);
    this.#total += part.size;
  }

  async *#read({ handle, path }: OpenPart): AsyncGenerator<Uint8Array> {
    const next = this.#follow ? nextPart(path) : null;
    let read = 0;
    for (;;) {
      // Asked for before the end is looked for: what is written before the next part begins must be seen.
      const goesOn = this.#files.length > 1 || (next !== null && (await this.#exists(next)));
      for await (const chunk of chunksOf(handle, null)) {
        read += chunk.length;
        this.#done += chunk.length;
        this.#options.onRead?.(this.#done, this.#total);
        yield chunk;
      }
      if (goesOn || !this.#follow || this.ended) return;
      const { size } = await handle.stat();
      if (size < read) throw shrunk(path);
      await sleep(FOLLOW_MS, undefined, { signal: this.#closed.signal }).catch(() => {});
      if (this.#closed.signal.aborted) return;
    }
  }

  async #exists(path: string): Promise<boolean> {
    try {
      this.#add(await openPart(path));
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
