// SPDX-License-Identifier: MIT
/**
 * Who a command is once it is attached. As root it could write anywhere, and with no capability left it still could wherever
 * root's own files are. So under sudo it becomes the person who called it, as long as that person may write what it is to
 * write; otherwise it stays root without a capability, or becomes the owner of the directory the output goes to.
 */
import { accessSync, constants, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Capability } from 'ebpf-ts';
import { ExitCode, fileError, UserError } from '../errors.js';
import { sudoOwner } from '../output/place.js';
import { giveUpPrivileges } from './give-up.js';
import type { User } from './users.js';

export interface Duties {
  /** Files that come to be, or take their names, later; `-` is none. */
  readonly outputs: readonly string[];
  /** It has a command to end, which runs as who we were. */
  readonly command: boolean;
  /** User stacks: mappings of other processes, and files of theirs. */
  readonly userStacks: boolean;
}

const S_ISVTX = 0o1000;

/**
 * What gives up all that `duties` leave no need for, to be called once: in it, a `UserError` where a thread keeps something.
 * Throws a `UserError` where an output could then not be written.
 */
export function planStandDown({ outputs, command, userStacks }: Duties): () => void {
  const files = outputs.filter((path) => path !== '-').map(placeOf);
  const user = process.geteuid?.() === 0 ? standIn(files) : null;
  const keep = [
    ...(command && user !== null ? [Capability.Kill] : []),
    ...(userStacks ? [Capability.SysPtrace, Capability.DacReadSearch] : []),
  ];
  return () => {
    giveUpPrivileges(user, keep);
    for (const { file, directory } of files) {
      try {
        // By the real user, which is the effective one by now.
        if (directory !== null) accessSync(directory, constants.W_OK | constants.X_OK);
      } catch (error) {
        throw fileError(`cannot write ${file}`, error);
      }
    }
  };
}

export interface Place {
  readonly file: string;
  /** null: it is no regular file, and stays open. */
  readonly directory: string | null;
}

function placeOf(file: string): Place {
  let path = resolve(file);
  try {
    path = realpathSync(path);
    if (!statSync(path).isFile()) return { file, directory: null };
  } catch {
    // It does not exist yet.
  }
  return { file: path, directory: dirname(path) };
}

/** Whom to become for these; null: stay root. Throws a `UserError` when nobody but almighty root could write them. */
function standIn(places: readonly Place[], caller: User | null = sudoUser()): User | null {
  const root: User = { name: 'root', uid: 0, gid: 0 };
  const owners = places.flatMap(({ directory }) => (directory === null ? [] : [ownerOf(directory)]));
  const candidates = [caller, root, ...owners].filter((user) => user !== null);
  const fit = candidates.find((user) => places.every((place) => mayWrite(place, user)));
  if (fit === undefined)
    throw new UserError(
      `cannot write ${places.map(({ file }) => file).join(' and ')}`,
      'capabilities are given up when observing begins, and without them neither root nor the user who called sudo may write there',
      'name a file in a directory of your own, or of the user who calls it',
      ExitCode.Usage,
    );
  return fit.uid === 0 ? null : fit;
}

function sudoUser(): User | null {
  const owner = sudoOwner();
  return owner === null || owner.uid === 0 ? null : { name: process.env.SUDO_USER ?? String(owner.uid), ...owner };
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function ownerOf(directory: string): User | null {
  const seen = look(directory);
  return seen === null ? null : { name: String(seen.uid), uid: seen.uid, gid: seen.gid };
}

/** By mode bits (inode_permission), without supplementary groups and capabilities; and as for replacing what is there (check_sticky). */
function mayWrite({ file, directory }: Place, { uid, gid }: User): boolean {
  if (directory === null) return true;
  for (let at = directory; ; at = dirname(at)) {
    const seen = look(at);
    if (seen === null) return false;
    const bits = seen.uid === uid ? seen.mode >> 6 : seen.gid === gid ? seen.mode >> 3 : seen.mode;
    const needed = at === directory ? 3 : 1;
    if ((bits & needed) !== needed) return false;
    if (at === directory && (seen.mode & S_ISVTX) !== 0 && seen.uid !== uid) {
      const there = look(file);
      if (there !== null && there.uid !== uid) return false;
    }
    if (at === '/') return true;
  }
}
