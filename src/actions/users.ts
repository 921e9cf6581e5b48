// SPDX-License-Identifier: MIT
/** Whether this process may run programs as the users that `exec` actions name. */
import { readFileSync } from 'node:fs';
import { ExitCode, UserError } from '../errors.js';
import type { Action } from './actions.js';

/** Bits of CapEff (linux/capability.h). */
const CAP_SETGID = 1n << 6n;
const CAP_SETUID = 1n << 7n;

/**
 * Throws a `UserError` when an action names a user or a group that this process cannot become: to be called when it has
 * the privileges that it will have.
 */
export function checkUsers(actions: readonly Action[]): void {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  for (const action of actions) {
    if (action.type !== 'exec') continue;
    const { uid, gid } = action;
    if (uid !== null && uid !== process.geteuid?.() && (effective & CAP_SETUID) === 0n)
      refuse(action.argv[0], 'uid', uid);
    if (gid !== null && gid !== process.getegid?.() && (effective & CAP_SETGID) === 0n)
      refuse(action.argv[0], 'gid', gid);
  }
}

/** The same beforehand: once privileges are given up, a process is who it is. `own`: who that will be. Throws a `UserError`. */
export function checkUsersFor(
  actions: readonly Action[],
  own: { readonly uid: number | undefined; readonly gid: number | undefined },
): void {
  for (const action of actions) {
    if (action.type !== 'exec') continue;
    const { uid, gid } = action;
    if (uid !== null && uid !== own.uid) refuse(action.argv[0], 'uid', uid);
    if (gid !== null && gid !== own.gid) refuse(action.argv[0], 'gid', gid);
  }
}

function refuse(program: string, what: 'uid' | 'gid', id: number): never {
  throw new UserError(
    `cannot run ${program} with ${what} ${id}`,
    `this process may not change its ${what}`,
    `leave ${what} out of the exec action: it runs with the ids of vmalocktop itself`,
    ExitCode.CannotObserve,
  );
}
