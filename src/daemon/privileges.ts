// SPDX-License-Identifier: MIT
/**
 * After attach nothing needs a privilege, so nothing keeps one: no thread of the process.
 *
 * capset(2) acts on the calling thread alone, and V8 and libuv have threads of their own that started with what we had.
 * setuid(2) is different: glibc carries it out in every thread (nptl(7)), and the kernel takes all capabilities of a
 * thread whose user ids all leave 0 (capabilities(7), "Effect of user ID changes"). So whoever starts us as root, with
 * whatever bounding set, gets a process in which no thread has any.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setNoNewPrivileges } from 'ebpf-ts';
import { ExitCode, errorCode, UserError } from '../errors.js';
import type { User } from './users.js';

/** Threads that hold a capability, now or by right: `tid comm`. */
export function privilegedThreads(): string[] {
  return readdirSync('/proc/self/task').flatMap((tid) => {
    let status: string;
    try {
      status = readFileSync(`/proc/self/task/${tid}/status`, 'utf8');
    } catch (error) {
      // It ended meanwhile.
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return [];
      throw error;
    }
    const held = /^Cap(?:Prm|Eff|Amb):\s*0*[1-9a-f]/m.test(status);
    return held ? [`${tid} ${/^Name:\s*(.*)$/m.exec(status)?.[1] ?? ''}`] : [];
  });
}

/**
 * Becomes `user` in all threads, if we are root; no_new_privs in any case.
 * Throws a `UserError` (exit code 3) when a thread keeps a capability after all.
 */
export function giveUpPrivileges(user: User | null): void {
  setNoNewPrivileges();
  if (process.geteuid?.() === 0 && user !== null) {
    try {
      process.setgroups?.([user.gid]);
      process.setgid?.(user.gid);
      process.setuid?.(user.uid);
    } catch (error) {
      throw new UserError(
        `cannot become ${user.name}`,
        error instanceof Error ? error.message : String(error),
        'start the daemon with CAP_SETUID and CAP_SETGID, or as root',
        ExitCode.CannotObserve,
        { cause: error },
      );
    }
  }
  const left = privilegedThreads();
  if (left.length === 0) return;
  throw new UserError(
    'cannot give up privileges',
    `threads keep capabilities: ${left.join(', ')}`,
    process.geteuid?.() === 0
      ? 'set privileges.user to a user that is not root'
      : 'start the daemon as root instead of giving capabilities to a user: it becomes privileges.user by itself',
    ExitCode.CannotObserve,
  );
}
