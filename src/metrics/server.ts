// SPDX-License-Identifier: MIT
/** /metrics and /healthz over HTTP. Read only; meant for 127.0.0.1. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExitCode, errorCode, UserError } from '../errors.js';
import type { Family } from './family.js';
import { CONTENT_TYPE, metricsText, negotiate } from './text.js';

export interface Health {
  readonly ok: boolean;
  /** What is wrong, or worth knowing; may be long. */
  readonly notes: readonly string[];
}

export interface Answers {
  families(): readonly Family[];
  health(): Health;
}

export interface MetricsServer {
  /** With the port the kernel chose, where 0 was asked for. */
  readonly address: string;
  close(): Promise<void>;
}

/** A client that is silent for this long is hung up on. */
const IDLE_MS = 30_000;
/** More than any number of scrapers; nobody may use up our descriptors. */
const MAX_CONNECTIONS = 64;

/** `[::1]:9753`, `127.0.0.1:9753`; throws a `UserError` for anything else. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new UserError(
      'cannot serve metrics',
      `${JSON.stringify(text)} is no address`,
      'set metrics.listen to ADDRESS:PORT, such as "127.0.0.1:9753" or "[::1]:9753"',
      ExitCode.Usage,
    );
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Rejects with a `UserError` when the address cannot be had. */
export async function serveMetrics(listen: string, answers: Answers): Promise<MetricsServer> {
  const { host, port } = parseListen(listen);
  const server = createServer((request, response) => answer(request, response, answers));
  server.maxConnections = MAX_CONNECTIONS;
  server.headersTimeout = IDLE_MS;
  server.requestTimeout = IDLE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(listen, error)));
    server.listen(port, host, resolve);
  });
  server.on('error', () => {});
  const at = server.address() as AddressInfo;
  return {
    address: at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`,
    close: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer(request: IncomingMessage, response: ServerResponse, answers: Answers): void {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    send(405, 'text/plain', 'GET or HEAD\n');
    return;
  }
  const path = request.url?.split('?', 1)[0];
  if (path === '/metrics') {
    const format = negotiate(request.headers.accept);
    send(200, CONTENT_TYPE[format], metricsText(answers.families(), format));
  } else if (path === '/healthz') {
    const health = answers.health();
    send(health.ok ? 200 : 503, 'application/json', `${JSON.stringify(health)}\n`);
  } else {
    send(404, 'text/plain', 'there are /metrics and /healthz\n');
  }
}

function listenError(listen: string, error: Error): UserError {
  const causes: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else listens there',
    EADDRNOTAVAIL: 'this host has no such address',
    EACCES: 'permission denied: ports below 1024 are root’s',
    ENOTFOUND: 'no such host',
  };
  return new UserError(
    `cannot serve metrics on ${listen}`,
    causes[errorCode(error)] ?? error.message,
    'set metrics.listen to another ADDRESS:PORT, or to "" for none',
    ExitCode.Usage,
    { cause: error },
  );
}
