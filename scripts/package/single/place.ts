// SPDX-License-Identifier: MIT
/**
 * Where a single executable keeps its files: Node loads modules and native code from files alone, so they are written out
 * once. What is loaded from there runs with the rights of whoever started the program, root among them; so the folder has
 * to be that user's, and writable by nobody else.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

export interface Contents {
  /** What is in it, as a hash: a folder of this name is complete, since it was renamed when it was. */
  readonly hash: string;
  /** Paths below the folder. */
  readonly files: readonly string[];
  read(path: string): Uint8Array;
}

export interface Place {
  readonly folder: string;
  /** It is for this run alone, and to be removed at its end. */
  readonly fleeting: boolean;
}

const PREFIX = 'single-';
const UNFINISHED = '.single-';
const HOUR_MS = 3_600_000;
/** Files of other versions that nobody has used for so long are removed. */
const UNUSED_MS = 30 * 24 * HOUR_MS;

/** Root's are not in its home, which `sudo` may have left as the caller's. Null: there is no home. */
export function cacheOf(uid: number, env: NodeJS.ProcessEnv): string | null {
  if (uid === 0) return '/var/cache/vmalocktop';
  const { XDG_CACHE_HOME: cache = '', HOME: home = '' } = env;
  if (isAbsolute(cache)) return join(cache, 'vmalocktop');
  return isAbsolute(home) ? join(home, '.cache/vmalocktop') : null;
}

/** A directory, no link, that is `uid`'s and that nobody else may write to. False where there is none. */
function isOwn(path: string, uid: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === uid && (found.mode & 0o022) === 0;
}

/** All of it; or nothing, and the folder is gone. */
function writeWhole(folder: string, { files, read }: Contents): void {
  try {
    chmodSync(folder, 0o755);
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), read(file));
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what an ended start left half written, and what no version in use needs. */
function sweep(cache: string, uid: number, now: number): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const limit = name.startsWith(PREFIX) ? UNUSED_MS : name.startsWith(UNFINISHED) ? HOUR_MS : Infinity;
    if (isOwn(path, uid) && now - lstatSync(path).mtimeMs > limit) rmSync(path, { recursive: true, force: true });
  }
}

function inCache(cache: string, contents: Contents, uid: number, now: number): string {
  const folder = join(cache, `${PREFIX}${contents.hash}`);
  mkdirSync(cache, { recursive: true });
  if (!isOwn(cache, uid)) throw new Error(`${cache} is not this user's alone`);
  if (!isOwn(folder, uid)) {
    sweep(cache, uid, now);
    const unfinished = mkdtempSync(join(cache, UNFINISHED));
    writeWhole(unfinished, contents);
    try {
      renameSync(unfinished, folder);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      // Another start was first, or what is there is somebody else's.
      if (!isOwn(folder, uid)) throw error;
    }
  }
  const time = new Date(now);
  utimesSync(folder, time, time);
  return folder;
}

/** The folder with all of `contents` in it. Throws what node:fs throws when there is no room even in the temporary one. */
export function place(contents: Contents, cache: string | null, uid: number, now: number): Place {
  // The daemon's own user, whom it becomes, reads what root has written, and comes to it.
  const umask = process.umask(0o022);
  try {
    return inCacheOrFleeting(contents, cache, uid, now);
  } finally {
    process.umask(umask);
  }
}

function inCacheOrFleeting(contents: Contents, cache: string | null, uid: number, now: number): Place {
  if (cache !== null) {
    try {
      return { folder: inCache(cache, contents, uid, now), fleeting: false };
    } catch {
      // A home that is missing, full, read-only or another's: the program runs all the same.
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'vmalocktop-'));
  writeWhole(folder, contents);
  return { folder, fleeting: true };
}
