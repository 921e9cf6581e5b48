// SPDX-License-Identifier: MIT
/**
 * The one way in which files come to be: written beside, under a name of their own, and put in their place by rename(2).
 * Until then an earlier file of that name is whole; what replaces it is ours alone (0600), and its reader's under sudo.
 */
import { randomBytes } from 'node:crypto';
import { constants, unlinkSync } from 'node:fs';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type FilePlace, findPlace, sudoOwner } from './place.js';

/** Recordings and what is made of them hold every process's addresses. */
const MODE = 0o600;

const PARTIAL = /^\.vmalocktop-[0-9a-f]{16}\.partial$/;
/** The lake has a file open for an hour; nothing else for more than moments. */
const LEFT_MS = 2 * 3_600_000;

/** Nobody of us is still at it; `mtimeMs`: ms since 1970. */
export function isOld(mtimeMs: number): boolean {
  return Date.now() - mtimeMs > LEFT_MS;
}

/** What a process that was killed left beside the file it was writing. */
export function isLeftOver(name: string, mtimeMs: number): boolean {
  return PARTIAL.test(name) && isOld(mtimeMs);
}

/** Files that have no name to stay under yet: none is left behind by an end in a hurry. */
const unplaced: Set<string> = new Set();
let watched = false;

function watchExit(): void {
  if (watched) return;
  watched = true;
  process.on('exit', () => {
    for (const path of unplaced) {
      try {
        unlinkSync(path);
      } catch {
        // Nobody is left to read a message.
      }
    }
  });
}

export interface NewFile {
  readonly handle: FileHandle;
  /** Puts it under its name, in place of an earlier file; further writes go on into it. */
  place(): Promise<void>;
  /** Closes it; without `place` before, nothing of it is left. */
  close(): Promise<void>;
}

export interface NewFileOptions {
  /** Refuse a name that is taken (EEXIST), and take it at once. */
  readonly exclusive?: boolean;
}

/** Rejects with the system's errors, or a `UserError` from `findPlace`. */
export async function createFile(path: string, options: NewFileOptions = {}): Promise<NewFile> {
  const place = await findPlace(path);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  if (place.kind === 'special') {
    if (options.exclusive === true) throw Object.assign(new Error('it is there'), { code: 'EEXIST' });
    const handle = await place.open();
    return { handle, place: async () => {}, close: () => handle.close() };
  }
  const exclusive = options.exclusive === true;
  const target = join(place.base, place.name);
  const beside = exclusive ? target : join(place.base, `.vmalocktop-${randomBytes(8).toString('hex')}.partial`);
  try {
    const handle = await open(beside, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), MODE);
    watchExit();
    if (!exclusive) unplaced.add(beside);
    await giveToCaller(handle);
    return new Beside(handle, place, beside, target, exclusive);
  } catch (error) {
    await place.directory.close();
    throw error;
  }
}

/** Under sudo the file is the person's who asked for it. */
async function giveToCaller(handle: FileHandle): Promise<void> {
  const owner = sudoOwner();
  // Where it cannot be given away it stays root's: still nobody else's.
  if (owner !== null) await handle.chown(owner.uid, owner.gid).catch(() => {});
}

class Beside implements NewFile {
  readonly handle: FileHandle;
  readonly #where: FilePlace;
  readonly #beside: string;
  readonly #target: string;
  #placed: boolean;

  constructor(handle: FileHandle, where: FilePlace, beside: string, target: string, placed: boolean) {
    this.handle = handle;
    this.#where = where;
    this.#beside = beside;
    this.#target = target;
    this.#placed = placed;
  }

  async place(): Promise<void> {
    if (this.#placed) return;
    await rename(this.#beside, this.#target);
    this.#placed = true;
    unplaced.delete(this.#beside);
  }

  async close(): Promise<void> {
    try {
      await this.handle.close();
    } finally {
      if (!this.#placed) {
        unplaced.delete(this.#beside);
        await unlink(this.#beside).catch(() => {});
      }
      await this.#where.directory.close().catch(() => {});
    }
  }
}
