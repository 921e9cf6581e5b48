// SPDX-License-Identifier: MIT
/** After attach nothing needs a privilege, so nothing keeps one: no thread of the process. */
import { dropCapabilities, privilegedThreads } from 'ebpf-ts';
import { ExitCode, UserError } from '../errors.js';
import type { User } from './users.js';

/**
 * Becomes `user` in all threads, if we are root; no_new_privs and no capability but `keep` in any case.
 * Throws a `UserError` (exit code 3) when a thread keeps one after all.
 */
export function giveUpPrivileges(user: User | null, keep: readonly number[] = []): void {
  const become = process.geteuid?.() === 0 ? user : null;
  try {
    dropCapabilities({ become, keep });
    const left = privilegedThreads(keep);
    if (left.length > 0) throw new Error(`threads keep capabilities: ${left.join(', ')}`);
  } catch (error) {
    throw new UserError(
      become === null ? 'cannot give up privileges' : `cannot become ${become.name}`,
      error instanceof Error ? error.message : String(error),
      become === null ? '' : 'start it with CAP_SETUID and CAP_SETGID, or as root',
      ExitCode.CannotObserve,
      { cause: error },
    );
  }
}
