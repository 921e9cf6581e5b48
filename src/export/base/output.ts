// SPDX-License-Identifier: MIT
/** Where an export goes. A file appears under its name only when it is whole: Parquet without its end cannot be read. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { fileError } from '../../errors.js';

export interface Output {
  /** Bytes taken so far. */
  readonly bytes: number;
  /** Settles when they are the kernel's; they are the output's until then. Rejects with a `UserError`. */
  write(data: Uint8Array): Promise<void>;
  /** The export is whole. Rejects with a `UserError` when the last bytes did not arrive. */
  finish(): Promise<void>;
  /** The export will not become whole: nothing of it is left where it can be taken for one. */
  abandon(): Promise<void>;
}

/** Devices and pipes are written to as they are; there is nothing to rename. */
async function isSpecial(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** A file at `path`; an earlier one is replaced when the export is whole. Rejects with a `UserError`. */
export async function fileOutput(path: string): Promise<Output> {
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw fileError(`cannot write ${path}`, error);
    });
  const special = await isSpecial(path);
  const target = special ? path : `${path}.${process.pid}.partial`;
  const file: FileHandle = await guard(open(target, 'w'));
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async write(data) {
      bytes += data.length;
      await guard(writeAll(file, data));
    },
    async finish() {
      await guard(file.close());
      if (!special) await guard(rename(target, path));
    },
    async abandon() {
      await file.close().catch(() => {});
      if (!special) await rm(target, { force: true });
    },
  };
}

async function writeAll(file: FileHandle, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await file.write(data, at)).bytesWritten;
}

/** A stream that is not ours to close: standard output. Its errors are its owner's to hear. */
export function streamOutput(stream: Writable): Output {
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
