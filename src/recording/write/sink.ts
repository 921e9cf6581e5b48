// SPDX-License-Identifier: MIT
/** Where a recording's bytes go. A write settles when the bytes are the kernel's, which is the back-pressure. */
import type { Writable } from 'node:stream';
import { ExitCode, UserError } from '../../errors.js';
import { createFile } from '../../output/new-file.js';
import { writeAll } from '../../output/output.js';

export interface RecordingSink {
  /** Writes all of `bytes`; they are the sink's until it settles. Rejects with a `UserError`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the sink. Rejects with a `UserError` when the last bytes did not arrive. */
  end(): Promise<void>;
}

const KEPT = 'what was written before is kept, and opens as a recording that was cut off';

const WRITE_CAUSES: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  EPIPE: [
    'the program that read it has closed the pipe',
    'keep the reading command running for as long as the recording',
  ],
  ERR_STREAM_PREMATURE_CLOSE: [
    'the program that read it has closed the pipe',
    'keep the reading command running for as long as the recording',
  ],
  ERR_STREAM_DESTROYED: ['it is closed', 'keep the output open for as long as the recording'],
  ENOSPC: ['no space left on the device', `free some space or record elsewhere; ${KEPT}`],
  EDQUOT: ['the disk quota is used up', `free some space or record elsewhere; ${KEPT}`],
  EFBIG: ['the file may not grow further', `record to a file system without that limit; ${KEPT}`],
  ENOENT: ['the directory does not exist', 'create it, or name another file'],
  EACCES: ['permission denied', 'name a file in a directory you may write to'],
  EPERM: ['permission denied', 'name a file in a directory you may write to'],
  EISDIR: ['it is a directory', 'name a file'],
  EEXIST: ['the file exists', 'name another one'],
  EROFS: ['the file system is read-only', 'name a file on another one'],
};

function writeError(name: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const [why, remedy] = WRITE_CAUSES[code] ?? [error instanceof Error ? error.message : String(error), KEPT];
  return new UserError(`cannot write the recording to ${name}`, why, remedy, ExitCode.Usage, { cause: error });
}

/** A sink over a Node stream: stdout, a socket, a child's stdin. `name` is what messages call it. */
export function streamSink(stream: Writable, name: string): RecordingSink {
  let failed: unknown;
  // Stays for good: an EPIPE may arrive between two writes, and an 'error' nobody hears ends the process.
  stream.on('error', (error) => {
    failed ??= error;
  });
  const settle = (act: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const closed = (): void => done(Object.assign(new Error('closed'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
      const done = (error?: Error | null): void => {
        stream.off('close', closed);
        if (error) reject(writeError(name, failed ?? error));
        else resolve();
      };
      if (failed !== undefined) {
        done(failed as Error);
        return;
      }
      stream.once('close', closed);
      act(done);
    });
  return {
    write: (bytes) => settle((done) => void stream.write(bytes, done)),
    end: () => settle((done) => void stream.end(done)),
  };
}

/** When written bytes are forced to the disk, and so survive a crash of the machine: never, once a second, or after each batch. */
export const FSYNC_POLICIES = ['none', 'interval', 'batch'] as const;
export type FsyncPolicy = (typeof FSYNC_POLICIES)[number];

const FSYNC_INTERVAL_MS = 1000;

export interface FileSinkOptions {
  /** `none` by default: what was written survives the recorder's death in any case. */
  readonly fsync?: FsyncPolicy;
  /** Refuse a file that is there already. */
  readonly exclusive?: boolean;
}

/**
 * A sink that creates the file at `path`, or replaces it at the first write: an earlier recording is whole until there is
 * another. Rejects with a `UserError` when it cannot.
 */
export async function fileSink(path: string, options: FileSinkOptions = {}): Promise<RecordingSink> {
  const { fsync = 'none' } = options;
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw writeError(path, error);
    });
  const file = await guard(createFile(path, { exclusive: options.exclusive === true }));
  const { handle } = file;
  // In the background: the ring must be drained while a slow disk takes its time.
  let syncing: Promise<void> = Promise.resolve();
  let synced = performance.now();
  const write = async (bytes: Uint8Array): Promise<void> => {
    await writeAll(handle, bytes);
    await file.place();
    if (fsync === 'batch') await handle.datasync();
    if (fsync !== 'interval' || performance.now() - synced < FSYNC_INTERVAL_MS) return;
    synced = performance.now();
    await syncing;
    syncing = handle.datasync();
    syncing.catch(() => {}); // its rejection reaches the next one to await it
  };
  const close = async (): Promise<void> => {
    try {
      await syncing;
      if (fsync !== 'none') await handle.datasync();
    } finally {
      await file.close();
    }
  };
  return {
    write: (bytes) => guard(write(bytes)),
    end: () => guard(close()),
  };
}
