// SPDX-License-Identifier: MIT
/** The other end of the daemon's socket: a session as it goes on, without any privilege. */
import { connect } from 'node:net';
import { ExitCode, errorCode, UserError } from '../errors.js';
import type { RecordingSource } from '../recording/read/reader.js';
import { openStream } from '../recording/read/stream.js';

const CAUSES: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ['there is no such socket', 'check the path (socket.path of the daemon), and that the daemon runs'],
  ECONNREFUSED: ['nobody listens there', 'start the daemon'],
  EACCES: ['permission denied', 'become a member of the group in socket.group of the daemon'],
  ENOTSOCK: ['it is not a socket', 'name the socket.path of the daemon; recordings open with `vmalocktop replay`'],
};

/** A daemon that starts lets its clients wait until its probes are attached. */
const PATIENCE_MS = 15_000;
const SILENT_MS = 1000;

/**
 * Rejects with a `UserError` when nobody answers at `path`, when we may not connect, or when it is something else.
 * `onSilent`: called when nothing came for a second.
 */
export async function connectDaemon(
  path: string,
  onSilent: () => void = () => {},
  patienceMs: number = PATIENCE_MS,
): Promise<RecordingSource> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => {
      const [why, remedy] = CAUSES[errorCode(error)] ?? [error.message, ''];
      reject(new UserError(`cannot connect to ${path}`, why, remedy, ExitCode.Usage, { cause: error }));
    });
  });
  socket.removeAllListeners('error');
  let late = false;
  const silent = setTimeout(onSilent, SILENT_MS);
  const end = setTimeout(() => {
    late = true;
    socket.destroy();
  }, patienceMs);
  try {
    return await openStream(socket, path);
  } catch (error) {
    if (!late) throw error;
    throw new UserError(
      `cannot connect to ${path}`,
      `the process that listens there sent nothing for ${patienceMs / 1000} s`,
      'check its log: it may not be a daemon of vmalocktop, or may not be observing',
      ExitCode.Usage,
      { cause: error },
    );
  } finally {
    clearTimeout(silent);
    clearTimeout(end);
  }
}
