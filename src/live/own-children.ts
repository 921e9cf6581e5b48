// SPDX-License-Identifier: MIT
/**
 * Children of this process by both their numbers: the one that kill(2) and waitpid(2) take, and the one that /proc has for
 * them. They differ where /proc is mounted from a PID namespace above, and the other one may then be anybody's.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { innermostPid } from './namespaces.js';

export interface OwnChild {
  /** In the namespace of this process. */
  readonly pid: number;
  /** `/proc/PID` */
  readonly directory: string;
}

/** Those that ended and were not waited for among them. Empty where the kernel has no CONFIG_PROC_CHILDREN. */
export function ownChildren(): OwnChild[] {
  const children: OwnChild[] = [];
  for (const tid of readdirSync('/proc/self/task')) {
    for (const shown of readOr(`/proc/self/task/${tid}/children`).split(' ')) {
      const directory = `/proc/${shown.trim()}`;
      const pid = shown.trim() === '' ? null : innermostPid(readOr(`${directory}/status`));
      if (pid !== null) children.push({ pid, directory });
    }
  }
  return children;
}

/** '' where it cannot be read: the thread or the process is gone. */
function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
