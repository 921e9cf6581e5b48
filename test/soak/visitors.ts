// SPDX-License-Identifier: MIT
/** Who comes to a daemon in the course of its days: clients that read and leave, clients that stop reading, signals. */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { DaemonChild } from './daemon-child.js';

const COME_MS = 1000;
const STAY_MS = [300, 2500, 6000] as const;
/** Enough to be behind by more than `socket.client_buffer`. */
const IDLE_MS = 40_000;
const DUMP_MS = 60_000;
const RELOAD_MS = 180_000;

export interface Visits {
  readonly figures: { readonly came: number; readonly bytes: number; readonly idled: number };
  stop(): void;
}

/** A client each second that stays for a while, and always one that does not read. `quick`: all of it more often, for short runs. */
export function visit(daemon: DaemonChild, quick: boolean): Visits {
  const figures = { came: 0, bytes: 0, idled: 0 };
  const open = new Set<Socket>();
  const timers: NodeJS.Timeout[] = [];
  let stopped = false;
  const come = (): Socket => {
    const client = connect(daemon.socket);
    figures.came++;
    open.add(client);
    client.on('error', () => {});
    client.once('close', () => open.delete(client));
    return client;
  };
  const reader = (): void => {
    const client = come();
    client.on('data', (bytes) => {
      figures.bytes += bytes.length;
    });
    setTimeout(() => client.destroy(), STAY_MS[figures.came % STAY_MS.length]);
  };
  const idler = (): void => {
    if (stopped) return;
    const client = come();
    client.pause();
    // Whoever does not read does not learn that it was hung up on either.
    setTimeout(() => {
      client.destroy();
      figures.idled++;
      idler();
    }, IDLE_MS);
  };
  const every = (ms: number, act: () => void): void => {
    timers.push(setInterval(act, quick ? ms / 10 : ms));
  };
  every(quick ? COME_MS * 3 : COME_MS, reader);
  every(DUMP_MS, () => daemon.process.kill('SIGUSR1'));
  every(RELOAD_MS, () => daemon.process.kill('SIGHUP'));
  idler();
  return {
    figures,
    stop: () => {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      for (const client of open) client.destroy();
    },
  };
}

/** Takes what webhooks bring. */
export async function webhookSink(): Promise<{ readonly server: Server; readonly port: number; taken(): number }> {
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      taken++;
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, port: (server.address() as AddressInfo).port, taken: () => taken };
}
