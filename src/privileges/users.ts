// SPDX-License-Identifier: MIT
/** Names of users and groups as numbers, from wherever this host keeps them (NSS, by getent). */
import { execFileSync } from 'node:child_process';
import { ExitCode, errorCode, UserError } from '../errors.js';

/** Not the caller's: this may run as root. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

function entry(database: 'passwd' | 'group', name: string): string[] {
  try {
    return execFileSync('getent', [database, '--', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH },
    })
      .trim()
      .split(':');
  } catch (error) {
    const kind = database === 'passwd' ? 'user' : 'group';
    const why = errorCode(error) === 'ENOENT' ? 'getent is not installed' : `there is no ${kind} of that name`;
    throw new UserError(
      `cannot use the ${kind} ${name}`,
      why,
      database === 'passwd'
        ? `create it (useradd --system ${name}), or name another one`
        : 'create it, or name another one',
      ExitCode.Usage,
      {
        cause: error,
      },
    );
  }
}

/** Throws a `UserError` when there is none. */
export function findUser(name: string): User {
  const [found = name, , uid, gid] = entry('passwd', name);
  return { name: found, uid: Number(uid), gid: Number(gid) };
}

/** Throws a `UserError` when there is none. */
export function findGroup(name: string): number {
  return Number(entry('group', name)[2]);
}
