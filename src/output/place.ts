// SPDX-License-Identifier: MIT
/**
 * Where an output goes: the path a person named, resolved to a directory that is held open, and a name in it.
 *
 * As root, the owner of a symbolic link on the way would choose the file that is written. Links are therefore followed one by
 * one, and those of others only where the kernel's fs.protected_symlinks would do so as well (may_follow_link, fs/namei.c).
 */
import { constants, existsSync, lstatSync, readlinkSync, type Stats, statfsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { ExitCode, errorCode, UserError } from '../errors.js';
import { pin } from '../pinned.js';

/** As the kernel (MAXSYMLINKS). */
const MAX_LINKS = 40;
/** PROC_SUPER_MAGIC: links there stand for open files. */
const PROC_MAGIC = 0x9fa0;

/** What a user or a group can have: -1 is none (setresuid(2) would leave root what it is), and more is cut off to 32 bits. */
const MAX_ID = 0xffff_fffe;

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID;
}

/** Who else than this process may be trusted with links: the person behind sudo, to whom the outputs are given. */
export function sudoOwner(): { readonly uid: number; readonly gid: number } | null {
  const { SUDO_UID = '', SUDO_GID = '' } = process.env;
  if (process.geteuid?.() !== 0 || !isId(SUDO_UID) || !isId(SUDO_GID)) return null;
  return { uid: Number(SUDO_UID), gid: Number(SUDO_GID) };
}

/** A regular file to be, or one that is to be replaced. */
export interface FilePlace {
  readonly kind: 'file';
  /** Held open, so that a directory put in its stead changes nothing. To be closed. */
  readonly directory: FileHandle;
  /** The directory's path, by its descriptor where the kernel lets us. */
  readonly base: string;
  readonly name: string;
}

/** A pipe, a device, a descriptor: written to as it is. */
export interface SpecialPlace {
  readonly kind: 'special';
  /** Appends; waits for the reader of a pipe. Rejects with the system's errors, or a `UserError` when it is not what was looked at. */
  open(): Promise<FileHandle>;
}

function refuseLink(path: string, link: string): UserError {
  return new UserError(
    `cannot write ${path}`,
    `${link} is a symbolic link that somebody else made, in a directory others may write to`,
    'name the file it points to, or one in a directory of your own',
    ExitCode.Usage,
  );
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.() || uid === sudoOwner()?.uid;
}

/** Others may have put it there: the directory is everybody's, or we are root in a directory of somebody else. */
function isDoubtful(entry: Stats, parent: Stats): boolean {
  if (isTrusted(entry.uid)) return false;
  return (parent.mode & 0o022) !== 0 || process.geteuid?.() === 0;
}

function isProc(directory: string): boolean {
  return process.platform === 'linux' && statfsSync(directory).type === PROC_MAGIC;
}

/**
 * The path without symbolic links, but for one that does not exist yet and for descriptors (`/dev/stdout`), which end it.
 * Throws the system's errors, and a `UserError` for a link that is not to be followed.
 */
function followLinks(path: string): { readonly path: string; readonly descriptor: boolean } {
  let rest = wordsOf(isAbsolute(path) ? path : `${process.cwd()}/${path}`);
  let at = '/';
  let links = 0;
  while (rest.length > 0) {
    const [part = '', ...behind] = rest;
    if (part === '..') {
      at = dirname(at);
      rest = behind;
      continue;
    }
    const next = join(at, part);
    let entry: Stats;
    try {
      entry = lstatSync(next);
    } catch (error) {
      // The file itself may be new.
      if (errorCode(error) === 'ENOENT' && behind.length === 0) return { path: next, descriptor: false };
      throw error;
    }
    if (!entry.isSymbolicLink()) {
      at = next;
      rest = behind;
      continue;
    }
    if (at.endsWith('/fd') && isProc(at)) return { path: next, descriptor: true };
    if (isDoubtful(entry, lstatSync(at))) throw refuseLink(path, next);
    if (++links > MAX_LINKS) throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
    const target = readlinkSync(next);
    if (isAbsolute(target)) at = '/';
    rest = [...wordsOf(target), ...behind];
  }
  return { path: at, descriptor: false };
}

/** `..` stays: of what lies behind a link it is another directory than of the link. */
function wordsOf(path: string): string[] {
  return path.split('/').filter((word) => word !== '' && word !== '.');
}

const APPEND = constants.O_WRONLY | constants.O_APPEND;

/** The pipe or device that was looked at, whatever has been put in its place or on the way to it since: to open one may do something. */
async function openSame(path: string, was: Stats, named: string): Promise<FileHandle> {
  if (!existsSync('/proc/self/fd')) return open(path, APPEND | (constants.O_NOFOLLOW ?? 0));
  const pinned = pin(path);
  try {
    const { dev, ino } = pinned.is;
    if (readlinkSync(pinned.path) !== path || dev !== BigInt(was.dev) || ino !== BigInt(was.ino))
      throw refuseLink(named, path);
    return await open(pinned.path, APPEND);
  } finally {
    pinned.close();
  }
}

/** Rejects with the system's errors, or with a `UserError` when a link on the way is not to be followed. */
export async function findPlace(path: string): Promise<FilePlace | SpecialPlace> {
  if (path.endsWith('/')) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
  const found = followLinks(path);
  if (found.descriptor) return { kind: 'special', open: () => open(found.path, APPEND) };
  let there: Stats | null = null;
  try {
    // Not what a link stands for that was put there since.
    there = lstatSync(found.path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  if (there?.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
  const parent = dirname(found.path);
  if (there?.isSymbolicLink()) throw refuseLink(path, found.path);
  if (there !== null && !there.isFile()) {
    if (isDoubtful(there, lstatSync(parent)))
      throw new UserError(
        `cannot write ${path}`,
        'it is a pipe or a device that somebody else made, in a directory others may write to',
        'name a file, or one in a directory of your own',
        ExitCode.Usage,
      );
    const looked = there;
    return { kind: 'special', open: () => openSame(found.path, looked, path) };
  }
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
  const directory = await open(parent, O_RDONLY | (O_DIRECTORY ?? 0) | (O_NOFOLLOW ?? 0));
  const held = `/proc/self/fd/${directory.fd}`;
  try {
    const base = existsSync(held) ? held : parent;
    // Between our look and open() a part of the path may have become a link.
    if (base === held && readlinkSync(held) !== parent) throw refuseLink(path, parent);
    return { kind: 'file', directory, base, name: basename(found.path) };
  } catch (error) {
    await directory.close();
    throw error;
  }
}
