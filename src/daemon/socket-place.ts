// SPDX-License-Identifier: MIT
/**
 * Where the daemon's socket is. Its directory is held open while it is looked at, made and removed: whoever can put another
 * directory in that one's place has nothing removed there, and nothing made. The socket is made under another name and takes
 * its own in one step, so that what a killed daemon left is never missing, and nothing is removed that is not ours.
 */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import { ExitCode, errorCode, UserError } from '../errors.js';
import { type Pinned, pin } from '../pinned.js';

/** sun_path of `struct sockaddr_un`, without the NUL. */
const MAX_PATH_BYTES = 107;

export class SocketPlace {
  readonly #directory: Pinned;
  readonly #path: string;
  readonly #name: string;
  /** Device and inode of our socket, once it has its name. */
  #ours: string | null = null;
  #left = false;

  private constructor(directory: Pinned, path: string) {
    this.#directory = directory;
    this.#path = path;
    this.#name = basename(path);
  }

  /** Rejects with a `UserError` where another daemon listens, or something else than a socket is. */
  static async find(path: string): Promise<SocketPlace> {
    let directory: Pinned;
    try {
      // By its descriptor any path could be bound, and by its name nobody could connect.
      if (Buffer.byteLength(path) > MAX_PATH_BYTES)
        throw Object.assign(new Error('it is too long'), { code: 'ENAMETOOLONG' });
      directory = pin(dirname(resolve(path)), true);
    } catch (error) {
      throw socketError(path, error);
    }
    const place = new SocketPlace(directory, path);
    try {
      await place.#refuseOthers(place.#name);
      // Left by a daemon that was killed while it started.
      if ((await place.#refuseOthers(place.#temporaryName)) === 'left') unlinkSync(place.temporary);
    } catch (error) {
      place.leave();
      throw socketError(path, error);
    }
    return place;
  }

  /** Where it is made. */
  get temporary(): string {
    return this.#at(this.#temporaryName);
  }

  /** Short, as the name may be as long as a path may be. */
  get #temporaryName(): string {
    return `.vmalocktop-${createHash('sha256').update(this.#name).digest('hex').slice(0, 12)}`;
  }

  #at(name: string): string {
    return `${this.#directory.path}/${name}`;
  }

  async #refuseOthers(name: string): Promise<'nothing' | 'left'> {
    const found = await socketAt(this.#at(name), this.#path);
    if (found !== 'listening') return found;
    throw new UserError(
      `cannot listen at ${this.#path}`,
      'another daemon listens there',
      'stop it, or name another socket.path',
      ExitCode.Usage,
    );
  }

  /** What was made gets its group and its name. Rejects with a `UserError`, or the system's errors. */
  async take(gid: number | null): Promise<void> {
    letIn(this.temporary, gid);
    const { dev, ino } = lstatSync(this.temporary, { bigint: true });
    await this.#refuseOthers(this.#name);
    renameSync(this.temporary, this.#at(this.#name));
    this.#ours = `${dev}:${ino}`;
  }

  /**
   * The file goes, if it is still ours. Where we may not remove it (the directory is root's), the next start replaces it. May be
   * called again.
   */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    try {
      const { dev, ino } = lstatSync(this.#at(this.#name), { bigint: true });
      if (`${dev}:${ino}` === this.#ours) unlinkSync(this.#at(this.#name));
    } catch {
      // it is gone, or see above
    }
    this.#directory.close();
  }
}

/** The group may connect: to the socket that was just made, whatever by now has its name. */
export function letIn(path: string, gid: number | null): void {
  const made = pin(path);
  try {
    if (!made.is.isSocket() || made.is.uid !== BigInt(process.geteuid?.() ?? -1))
      throw Object.assign(new Error('somebody else put something in its place'), { code: 'EEXIST' });
    if (gid !== null) chownSync(made.path, -1, gid);
    chmodSync(made.path, 0o660);
  } finally {
    made.close();
  }
}

/**
 * What is there. A socket nobody listens at is what a killed daemon left. Rejects with a `UserError` for anything else, which
 * calls it `shown`.
 */
export async function socketAt(path: string, shown: string = path): Promise<'nothing' | 'left' | 'listening'> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'nothing';
    throw socketError(shown, error);
  }
  if (!isSocket)
    throw new UserError(
      `cannot listen at ${shown}`,
      'what is there is not a socket',
      'name another path',
      ExitCode.Usage,
    );
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve('listening');
    });
    probe.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED' || errorCode(error) === 'ENOENT') resolve('left');
      else reject(socketError(shown, error));
    });
  });
}

const SOCKET_ERRORS: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ['its directory does not exist', 'create it, or name another path'],
  EACCES: ['permission denied', 'name a path in a directory the daemon may write to'],
  EPERM: ['permission denied', 'name a path in a directory the daemon may write to, and a group it is in'],
  EROFS: ['the file system is read-only', 'name a path on another one, such as /run'],
  ENAMETOOLONG: ['a socket path has 107 bytes at most', 'name a shorter one'],
};

export function socketError(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const [why, remedy] = SOCKET_ERRORS[errorCode(error)] ?? [error instanceof Error ? error.message : String(error), ''];
  return new UserError(`cannot listen at ${path}`, why, remedy, ExitCode.Usage, { cause: error });
}
