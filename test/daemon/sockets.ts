// SPDX-License-Identifier: MIT
/** Sockets of a daemon, each at a path of its own. */
import { join } from 'node:path';
import { listenSocket, type StreamSocket } from '../../src/daemon/socket.js';
import { scratch } from './support.js';

export const LIMITS: { clients: number; clientBuffer: number } = { clients: 64, clientBuffer: 8 * 2 ** 20 };

const directory = scratch();
process.on('exit', () => directory.remove());
let number = 0;
export const freePath = (): string => join(directory.path, `socket-${number++}`);
/** What is closed after the test. */
export const open: StreamSocket[] = [];

/** Closes them, after each test. */
export async function closeSockets(): Promise<void> {
  for (const socket of open.splice(0)) await socket.close();
}

export async function listen(limits: typeof LIMITS = LIMITS): Promise<{ socket: StreamSocket; path: string }> {
  const path = freePath();
  const socket = await listenSocket(path, null, limits);
  open.push(socket);
  return { socket, path };
}
