// SPDX-License-Identifier: MIT
/**
 * HTTP for anybody who reaches the port: one request a connection, a deadline for all of it, and when
 * there are too many connections the oldest gives way. Knows nothing of what is answered.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { hostname } from 'node:os';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** PEM; null: plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** `user:password`; null: nobody is asked. */
  readonly credentials: string | null;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Rejects when there is no answer. */
export type Answer = (path: string, accept: string | undefined) => Promise<Page>;

export interface BoundedServer {
  /** With the port the kernel chose, where 0 was asked for. */
  readonly address: string;
  close(): Promise<void>;
}

/** From the first byte to the last one of a connection: a scrape takes milliseconds. */
const LIFE_MS = 10_000;
/** More than any number of scrapers; nobody may use up our descriptors. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8192;

/** Rejects as listen(2) fails, or with what OpenSSL says of the certificate. */
export async function listenBounded(
  options: HttpOptions,
  answer: Answer,
  lifeMs: number = LIFE_MS,
): Promise<BoundedServer> {
  const limits: ServerOptions = {
    connectionsCheckingInterval: 1000,
    headersTimeout: lifeMs,
    requestTimeout: lifeMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const served: WeakSet<Socket> = new WeakSet();
  const handle: RequestListener = (request, response) => {
    // What is behind the first request of a connection is not answered.
    if (served.has(request.socket)) return;
    served.add(request.socket);
    void respond(request, response, options.credentials, answer);
  };
  const server =
    options.tls === null ? createServer(limits, handle) : createTlsServer({ ...limits, ...options.tls }, handle);
  // The raw connection, under TLS as well: a handshake that never ends counts.
  server.on('connection', bound(lifeMs));
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  server.on('error', () => {});
  const at = server.address() as AddressInfo;
  return {
    address: at.family === 'IPv6' ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function bound(lifeMs: number): (socket: Socket) => void {
  /** Oldest first. */
  const open: Set<Socket> = new Set();
  return (socket) => {
    socket.on('error', () => socket.destroy());
    if (open.size >= MAX_CONNECTIONS)
      for (const oldest of open) {
        oldest.destroy();
        open.delete(oldest);
        break;
      }
    open.add(socket);
    const end = setTimeout(() => socket.destroy(), lifeMs);
    socket.once('close', () => {
      clearTimeout(end);
      open.delete(socket);
    });
  };
}

function isAllowed(given: string | undefined, credentials: string): boolean {
  const [scheme = '', encoded = ''] = (given ?? '').split(' ');
  if (scheme.toLowerCase() !== 'basic') return false;
  const digest = (data: string | Buffer): Buffer => createHash('sha256').update(data).digest();
  return timingSafeEqual(digest(Buffer.from(encoded, 'base64')), digest(credentials));
}

/** Addresses of this host that nobody but its own users reaches. */
const LOOPBACK = /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/;

/**
 * A page that somebody opened in a browser on this host reaches 127.0.0.1 too: under a name of its own, which it had the
 * resolver change (DNS rebinding), and then may read the answer. Nobody else calls this host so.
 */
function isOwnName(host: string | undefined): boolean {
  const [, six, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host?.toLowerCase() ?? 'localhost') ?? [];
  if (six !== undefined) return isIP(six) === 6;
  return isIP(name) === 4 || /^(?:.+\.)?localhost$/.test(name) || name === hostname().toLowerCase();
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  credentials: string | null,
  answer: Answer,
): Promise<void> {
  const send = ({ status, type, body }: Page, headers: Readonly<Record<string, string>> = {}): void => {
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const plain = (status: number, body: string): Page => ({ status, type: 'text/plain', body });
  if (credentials !== null && !isAllowed(request.headers.authorization, credentials))
    return send(plain(401, 'who is asking?\n'), { 'www-authenticate': 'Basic realm="vmalocktop"' });
  if (credentials === null && LOOPBACK.test(request.socket.localAddress ?? '') && !isOwnName(request.headers.host))
    return send(plain(421, 'that is no name of this host: ask for 127.0.0.1, or set metrics.password_file\n'));
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(plain(405, 'GET or HEAD\n'), { allow: 'GET, HEAD' });
  const path = request.url?.split('?', 1)[0] ?? '';
  try {
    send(await answer(path, request.headers.accept));
  } catch (error) {
    if (!response.headersSent) send(plain(503, `${error instanceof Error ? error.message : String(error)}\n`));
  }
}
