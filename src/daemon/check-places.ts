// SPDX-License-Identifier: MIT
/** Where a daemon is to listen and to write, looked at without making anything: what is refused here is refused at the start. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { ExitCode, errorCode, fileError, UserError } from '../errors.js';
import { listenError, parseListen } from '../metrics/server.js';
import type { User } from '../privileges/users.js';
import type { DaemonConfig } from './config.js';
import { socketAt, socketError } from './socket-place.js';

/** Services have their directories of sockets made here when they start (RuntimeDirectory= of systemd.exec(5)). */
const RUN = '/run';

/** Directories that are written to. */
export function directoriesOf({ flight, lake }: DaemonConfig): string[] {
  return [flight.keep > 0 ? flight.directory : '', lake.directory].filter(Boolean);
}

/**
 * `user`: whom the daemon becomes. Returns what may still stand in the way of a start, in words. Rejects with a `UserError`
 * for an address, a socket's path or a directory that no start can use.
 */
export async function checkPlaces(config: DaemonConfig, user: User | null): Promise<string[]> {
  const notes: string[] = [];
  const { metrics, socket } = config;
  if (metrics.listen !== '' && !(await isFree(metrics.listen)))
    notes.push(
      `${metrics.listen} is in use: by a daemon that runs, or by something else, and then the start is refused`,
    );
  if (socket.path !== '') notes.push(...(await checkSocketPath(socket.path)));
  for (const directory of directoriesOf(config)) checkDirectory(directory, user);
  return notes;
}

async function isFree(listen: string): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(parseListen(listen), done);
    });
    await new Promise((done) => server.close(done));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') return false;
    const message = error instanceof Error ? error.message : String(error);
    throw listenError(listen, { code: errorCode(error), message });
  }
}

async function checkSocketPath(path: string): Promise<string[]> {
  const found = await socketAt(path);
  if (found === 'listening') return [`a daemon listens at ${path}: a second one is refused there`];
  const directory = dirname(resolve(path));
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(directory) !== RUN) throw socketError(path, error);
    return [`${directory} is not there: whoever starts the service is to make it`];
  }
  return [];
}

/** Throws a `UserError` when it is there and is no directory, or `user` may not write to it, or it cannot be made. */
export function checkDirectory(directory: string, user: User | null): void {
  const there = nearest(resolve(directory));
  if (!statSync(there).isDirectory())
    throw new UserError(`cannot make ${directory}`, `${there} is not a directory`, 'name another path', ExitCode.Usage);
  try {
    if (there !== resolve(directory) || user === null) accessSync(there, constants.W_OK | constants.X_OK);
    else if (!mayWrite(there, user)) throw Object.assign(new Error(`${user.name} may not`), { code: 'EACCES' });
  } catch (error) {
    throw fileError(`cannot write files to ${directory}`, error);
  }
}

/** The directory, or the part of its path that there is. */
function nearest(path: string): string {
  try {
    statSync(path);
    return path;
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
    if (!isMissing || dirname(path) === path) throw fileError(`cannot use ${path}`, error);
    return nearest(dirname(path));
  }
}

/** Asked by a process that is `user`: there may be access control lists. test(1) asks access(2). */
function mayWrite(directory: string, { uid, gid }: User): boolean {
  return ['-w', '-x'].every(
    (mode) => spawnSync('test', [mode, directory], { uid, gid, env: {}, stdio: 'ignore' }).status === 0,
  );
}
