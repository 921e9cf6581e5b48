// SPDX-License-Identifier: MIT
/** The Unix socket of the daemon: members of its group get the session as a stream. Nobody is waited for. */
import { createServer, type Server, type Socket } from 'node:net';
import type { FanOut, Reader } from './fan-out.js';
import { SocketPlace, socketError } from './socket-place.js';

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

/**
 * At the end a client is waited for while it takes something every so often, but no longer than that in all. Where memory is short
 * a client that reads may get no CPU for seconds.
 */
const LOOK_MS = 2000;
const STALLED_LOOKS = 3;
const LINGER_MS = 20_000;

/**
 * Listens at `path`, mode 0660, of group `gid` (null: our own). What a killed daemon left there is replaced.
 * Rejects with a `UserError` when that is not possible, or when another daemon listens there.
 */
export async function listenSocket(path: string, gid: number | null, limits: SocketLimits): Promise<StreamSocket> {
  const place = await SocketPlace.find(path);
  const server = createServer({ allowHalfOpen: false });
  const socket = new Listening(server, place, limits);
  // bind() makes the file: nobody may connect before it has its group.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(place.temporary, resolve);
    });
    await place.take(gid);
  } catch (error) {
    server.close();
    place.leave();
    throw socketError(path, error);
  } finally {
    process.umask(umask);
  }
  return socket;
}

class Listening implements StreamSocket {
  readonly figures: SocketFigures = { clients: 0, accepted: 0, dropped: 0, refused: 0 };
  limits: SocketLimits;
  readonly #server: Server;
  readonly #place: SocketPlace;
  readonly #sockets: Set<Socket> = new Set();
  #fanOut: FanOut | null = null;
  #waiting: Socket[] = [];

  constructor(server: Server, place: SocketPlace, limits: SocketLimits) {
    this.#server = server;
    this.#place = place;
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
    const watch = this.#hangUpOnStalled();
    await closed;
    clearInterval(watch);
    this.#place.leave();
  }

  /** What a client was sent and has not read yet stays in its own queue, also after this. */
  #hangUpOnStalled(): NodeJS.Timeout {
    const left = new Map<Socket, { readonly rest: number; readonly since: number }>();
    let looks = 0;
    return setInterval(() => {
      looks++;
      for (const client of this.#sockets) {
        const rest = client.writableLength;
        const before = left.get(client);
        const since = before?.rest === rest ? before.since : looks;
        left.set(client, { rest, since });
        if (rest === 0 || looks - since >= STALLED_LOOKS || looks * LOOK_MS >= LINGER_MS) client.destroy();
      }
    }, LOOK_MS);
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
