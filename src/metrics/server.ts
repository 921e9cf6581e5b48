// SPDX-License-Identifier: MIT
/** /metrics and /healthz over HTTP. Read only; meant for 127.0.0.1. A thread of its own serves them (http-thread.ts). */
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ExitCode, UserError } from '../errors.js';
import type { HttpOptions, Page } from './bounded-http.js';
import type { Family } from './family.js';
import { CONTENT_TYPE, metricsText } from './text.js';
import type { FromThread, ToThread, What } from './thread-messages.js';

export interface Health {
  readonly ok: boolean;
  /** What is wrong, or worth knowing; may be long. */
  readonly notes: readonly string[];
}

export interface Answers {
  /** Of one instant. */
  families(): readonly Family[] | Promise<readonly Family[]>;
  health(): Health;
}

export interface ServeOptions {
  readonly tls?: HttpOptions['tls'];
  readonly credentials?: string | null;
  /** One line for the log. */
  log?(line: string): void;
}

export interface MetricsServer {
  /** With the port the kernel chose, where 0 was asked for. */
  readonly address: string;
  /** CPU time used by serving, ns; it is not spent on observing. */
  cpuNs(): number;
  close(): Promise<void>;
}

/** The thread holds a few texts and 64 sockets. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };
const AGAIN_MS = 1000;
const CLOSE_MS = 1000;
/** proc(5): USER_HZ is 100 on every architecture with BPF. */
const TICK_NS = 1e7;

/** `[::1]:9753`, `127.0.0.1:9753`; throws a `UserError` for anything else. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new UserError(
      'cannot serve metrics',
      `${JSON.stringify(text)} is not an address`,
      'set metrics.listen to ADDRESS:PORT, such as "127.0.0.1:9753" or "[::1]:9753"',
      ExitCode.Usage,
    );
  return { host: match[1] ?? match[2] ?? '', port };
}

/** Rejects with a `UserError` when the address cannot be bound. */
export async function serveMetrics(
  listen: string,
  answers: Answers,
  options: ServeOptions = {},
): Promise<MetricsServer> {
  const { tls = null, credentials = null, log = (): void => {} } = options;
  const server = new Serving(listen, { ...parseListen(listen), tls, credentials }, answers, log);
  await server.start();
  return server;
}

class Serving implements MetricsServer {
  address = '';
  readonly #listen: string;
  readonly #options: HttpOptions;
  readonly #answers: Answers;
  readonly #log: (line: string) => void;
  #worker: Worker | null = null;
  #tid: number | null = null;
  /** Of threads that ended, and of this one when it was asked last. */
  #usedNs = 0;
  #nowNs = 0;
  #closing = false;

  constructor(listen: string, options: HttpOptions, answers: Answers, log: (line: string) => void) {
    this.#listen = listen;
    this.#options = options;
    this.#answers = answers;
    this.#log = log;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./http-thread.js', import.meta.url), {
        workerData: this.#options,
        resourceLimits: LIMITS,
      });
      this.#worker = worker;
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'ask') void this.#answer(worker, message.id, message.what);
        else if (message.kind === 'failed') {
          this.#closing = true;
          void worker.terminate();
          reject(listenError(this.#listen, message));
        } else {
          this.address = message.address;
          this.#tid = message.tid;
          resolve();
        }
      });
      worker.on('error', (error) => this.#log(`the metrics server ended: ${error.message}`));
      worker.on('exit', () => {
        this.#usedNs += this.#nowNs;
        this.#nowNs = 0;
        this.#tid = null;
        // Out of memory, say: the session goes on, and so shall its metrics.
        if (!this.#closing) setTimeout(() => this.#again(), AGAIN_MS).unref();
      });
    });
  }

  cpuNs(): number {
    if (this.#tid !== null) {
      try {
        const stat = readFileSync(`/proc/self/task/${this.#tid}/stat`, 'utf8');
        // The name may hold anything: fields are counted from behind it. utime and stime are the 14th and 15th.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        this.#nowNs = (Number(fields[11]) + Number(fields[12])) * TICK_NS;
      } catch {
        // It ended meanwhile.
      }
    }
    return this.#usedNs + this.#nowNs;
  }

  async close(): Promise<void> {
    this.#closing = true;
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const message: ToThread = { kind: 'close' };
    worker.postMessage(message);
    const late = setTimeout(() => void worker.terminate(), CLOSE_MS);
    if (worker.threadId !== -1) await ended;
    clearTimeout(late);
  }

  #again(): void {
    if (this.#closing) return;
    this.start().catch((error: unknown) => this.#log(error instanceof Error ? error.message : String(error)));
  }

  async #answer(worker: Worker, id: number, what: What): Promise<void> {
    const message: ToThread = { kind: 'answer', id, page: await this.#page(what) };
    worker.postMessage(message);
  }

  async #page(what: What): Promise<Page> {
    if (what !== 'health')
      return { status: 200, type: CONTENT_TYPE[what], body: metricsText(await this.#answers.families(), what) };
    const health = this.#answers.health();
    return { status: health.ok ? 200 : 503, type: 'application/json', body: `${JSON.stringify(health)}\n` };
  }
}

/** `code`: of listen(2), of the resolver or of OpenSSL. */
export function listenError(
  listen: string,
  { code, message }: { readonly code: string; readonly message: string },
): UserError {
  const causes: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something else listens there',
    EADDRNOTAVAIL: 'this host has no such address',
    EACCES: 'permission denied: ports below 1024 are root’s',
    ENOTFOUND: 'no such host',
  };
  return new UserError(
    `cannot serve metrics on ${listen}`,
    causes[code] ?? message,
    causes[code] === undefined
      ? 'see metrics.listen, metrics.tls_cert and metrics.tls_key'
      : 'set metrics.listen to another ADDRESS:PORT, or to "" for none',
    ExitCode.Usage,
  );
}
