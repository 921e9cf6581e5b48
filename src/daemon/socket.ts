// SPDX-License-Identifier: MIT
/** The Unix socket of the daemon: members of its group get the session as a stream. Nobody is waited for. */
import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ExitCode, errorCode, UserError } from '../errors.js';
import { pin } from '../pinned.js';
import type { FanOut, Reader } from './fan-out.js';

export interface SocketLimits {
  readonly clients: number;
  /** Bytes. */
  readonly clientBuffer: number;
}

export interface SocketFigures {
  /** Connected now. */
  clients: number;
  /** Let in so far. */
  accepted: number;
  /** Dropped since they read too slowly. */
  dropped: number;
  /** Turned away since there were enough. */
  refused: number;
}

export interface StreamSocket {
  readonly figures: Readonly<SocketFigures>;
  limits: SocketLimits;
  /** Lets clients in. Before the session is there, they wait in the backlog. */
  serve(fanOut: FanOut): void;
  /** Clients get what was sent to them within a second; then the file goes. */
  close(): Promise<void>;
}

/** At the end clients that still read are waited for this long. */
const LINGER_MS = 1000;

/**
 * Listens at `path`, mode 0660, of group `gid` (null: our own). What a killed daemon left there is replaced.
 * Rejects with a `UserError` when that is not possible, or when another daemon listens there.
 */
export async function listenSocket(path: string, gid: number | null, limits: SocketLimits): Promise<StreamSocket> {
  await removeStale(path);
  const server = createServer({ allowHalfOpen: false });
  const socket = new Listening(server, path, limits);
  // bind() makes the file: nobody may connect before it has its group.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    letIn(path, gid);
  } catch (error) {
    server.close();
    throw socketError(path, error);
  } finally {
    process.umask(umask);
  }
  return socket;
}

/** The group may connect: to the socket that was just made, whatever by now has its name. */
export function letIn(path: string, gid: number | null): void {
  const made = pin(path);
  try {
    if (!made.is.isSocket() || made.is.uid !== BigInt(process.geteuid?.() ?? -1))
      throw Object.assign(new Error('somebody else put something in its place'), { code: 'EEXIST' });
    if (gid !== null) chownSync(made.path, -1, gid);
    chmodSync(made.path, 0o660);
  } finally {
    made.close();
  }
}

class Listening implements StreamSocket {
  readonly figures: SocketFigures = { clients: 0, accepted: 0, dropped: 0, refused: 0 };
  limits: SocketLimits;
  readonly #server: Server;
  readonly #path: string;
  readonly #sockets: Set<Socket> = new Set();
  #fanOut: FanOut | null = null;
  #waiting: Socket[] = [];

  constructor(server: Server, path: string, limits: SocketLimits) {
    this.#server = server;
    this.#path = path;
    this.limits = limits;
    server.on('connection', (client) => this.#connected(client));
  }

  serve(fanOut: FanOut): void {
    this.#fanOut = fanOut;
    for (const client of this.#waiting.splice(0)) this.#welcome(client, fanOut);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#sockets) client.end();
    const late = setTimeout(() => {
      for (const client of this.#sockets) client.destroy();
    }, LINGER_MS);
    await closed;
    clearTimeout(late);
    // Node unlinks it; where we no longer may (the directory is root's), the next start replaces it.
    if (existsSync(this.#path)) {
      try {
        unlinkSync(this.#path);
      } catch {
        // see above
      }
    }
  }

  #connected(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.#sockets.size >= this.limits.clients) {
      this.figures.refused++;
      client.destroy();
      return;
    }
    this.#sockets.add(client);
    this.figures.clients++;
    this.figures.accepted++;
    client.once('close', () => {
      this.#sockets.delete(client);
      this.figures.clients--;
    });
    // A reader has nothing to send; one that does is not read, and hangs up as others do.
    client.resume();
    if (this.#fanOut === null) this.#waiting.push(client);
    else this.#welcome(client, this.#fanOut);
  }

  #welcome(client: Socket, fanOut: FanOut): void {
    const reader: Reader = {
      write: (bytes) => {
        if (client.destroyed || client.writableEnded) return false;
        if (client.writableLength + bytes.length > this.limits.clientBuffer) {
          this.figures.dropped++;
          client.destroy();
          return false;
        }
        client.write(bytes);
        return true;
      },
      end: () => void client.end(),
    };
    client.once('close', () => fanOut.remove(reader));
    fanOut.add(reader);
  }
}

/** What is there. A socket nobody listens at is what a killed daemon left. Rejects with a `UserError` for anything else. */
export async function socketAt(path: string): Promise<'nothing' | 'left' | 'listening'> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'nothing';
    throw socketError(path, error);
  }
  if (!isSocket)
    throw new UserError(
      `cannot listen at ${path}`,
      'something else than a socket is there',
      'name another path',
      ExitCode.Usage,
    );
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve('listening');
    });
    probe.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED' || errorCode(error) === 'ENOENT') resolve('left');
      else reject(socketError(path, error));
    });
  });
}

async function removeStale(path: string): Promise<void> {
  const found = await socketAt(path);
  if (found === 'nothing') return;
  if (found === 'listening')
    throw new UserError(
      `cannot listen at ${path}`,
      'another daemon does',
      'stop it, or name another socket.path',
      ExitCode.Usage,
    );
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw socketError(path, error);
  }
}

const SOCKET_ERRORS: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOENT: ['its directory does not exist', 'create it, or name another path'],
  EACCES: ['permission denied', 'name a path in a directory the daemon may write to'],
  EPERM: ['permission denied', 'name a path in a directory the daemon may write to, and a group it is in'],
  EROFS: ['the file system is read-only', 'name a path on another one, such as /run'],
  ENAMETOOLONG: ['a socket path has 107 bytes at most', 'name a shorter one'],
};

export function socketError(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const [why, remedy] = SOCKET_ERRORS[errorCode(error)] ?? [error instanceof Error ? error.message : String(error), ''];
  return new UserError(`cannot listen at ${path}`, why, remedy, ExitCode.Usage, { cause: error });
}
