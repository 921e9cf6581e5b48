// SPDX-License-Identifier: MIT
/**
 * sd_notify(3): reports the daemon's state to the service manager, where it asked for that ($NOTIFY_SOCKET).
 * Its socket takes datagrams, which Node does not speak: systemd-notify(1) does. The unit has to say NotifyAccess=all.
 */
import { execFile } from 'node:child_process';

/** Never rejects: without systemd, or without its tool, nothing is reported. Resolves to whether it was. */
export function notifyManager(...assignments: readonly string[]): Promise<boolean> {
  if (process.env.NOTIFY_SOCKET === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    execFile('systemd-notify', [`--pid=${process.pid}`, ...assignments], { timeout: 5000 }, (error) =>
      resolve(error === null),
    );
  });
}
