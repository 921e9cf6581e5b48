// SPDX-License-Identifier: MIT
/** Where a summary, a report or an export goes. A file appears under its name only when it is whole. */
import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { fileError } from '../errors.js';
import { refuseInputs } from './inputs.js';
import { createFile } from './new-file.js';

export interface Output {
  /** Bytes taken so far. */
  readonly bytes: number;
  /** Settles when they are the kernel's; they are the output's until then. Rejects with a `UserError`. */
  write(data: Uint8Array): Promise<void>;
  /** The output is whole. Rejects with a `UserError` when the last bytes did not arrive. */
  finish(): Promise<void>;
  /** It will not become whole: nothing of it is left where it can be taken for one. */
  abandon(): Promise<void>;
}

export interface OutputFileOptions {
  /** Paths that are read meanwhile, `-` for standard input: the output is none of them. */
  readonly inputs: readonly string[];
  /** Show it under its name from the first bytes on: it grows as time goes. */
  readonly growing?: boolean;
}

/** The file `path`, or standard output for `-`. Rejects with a `UserError` when it cannot be written. */
export async function openOutput(path: string, options: OutputFileOptions): Promise<Output> {
  await refuseInputs(path, options.inputs);
  return path === '-' ? streamOutput(process.stdout) : fileOutput(path, options.growing === true);
}

/** An earlier file is replaced when the new one is whole, or `growing`. Rejects with a `UserError`. */
export async function fileOutput(path: string, growing = false): Promise<Output> {
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw fileError(`cannot write ${path}`, error);
    });
  const file = await guard(createFile(path));
  let bytes = 0;
  let failed = false;
  const act = async (work: () => Promise<void>): Promise<void> => {
    try {
      await guard(work());
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  return {
    get bytes() {
      return bytes;
    },
    async write(data) {
      bytes += data.length;
      await act(async () => {
        await writeAll(file.handle, data);
        if (growing) await file.place();
      });
    },
    async finish() {
      // Half a file does not take the place of a whole one.
      if (!failed) await act(() => file.place());
      await guard(file.close());
    },
    async abandon() {
      await file.close().catch(() => {});
    },
  };
}

/** Writes all of `data`. Rejects as `write(2)` fails. */
export async function writeAll(file: FileHandle, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await file.write(data, at)).bytesWritten;
}

/** Text as one write. */
export function writeText(output: Output, text: string): Promise<void> {
  return output.write(new TextEncoder().encode(text));
}

/** A stream that is not ours to close: standard output. Its errors are its owner's to hear. */
function streamOutput(stream: Writable): Output {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    write(data) {
      bytes += data.length;
      return new Promise((resolve, reject) => {
        stream.write(data, (error) =>
          error ? reject(fileError('cannot write to standard output', error)) : resolve(),
        );
      });
    },
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}
