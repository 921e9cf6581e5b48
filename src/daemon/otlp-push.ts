// SPDX-License-Identifier: MIT
/** Metrics to an OpenTelemetry collector, now and then, beside everything else. */
import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Family, Labels } from '../metrics/family.js';
import { otlpRequest } from '../metrics/otlp.js';
import type { OtlpSecrets, OtlpTarget } from './otlp-target.js';

const compress: (data: string) => Promise<Buffer> = promisify(gzip);

export class OtlpPush {
  readonly figures: { sent: number; failed: number } = { sent: 0, failed: 0 };
  readonly #families: () => Promise<readonly Family[]>;
  readonly #resource: Labels;
  readonly #secrets: OtlpSecrets;
  readonly #log: (line: string) => void;
  readonly #startNs: bigint = BigInt(Date.now()) * 1_000_000n;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #failing = false;

  constructor(
    families: () => Promise<readonly Family[]>,
    resource: Labels,
    secrets: OtlpSecrets,
    log: (line: string) => void,
  ) {
    this.#families = families;
    this.#resource = { ...resource, ...secrets.resource };
    this.#secrets = secrets;
    this.#log = log;
  }

  /** A `url` of '' stops it. */
  start(target: OtlpTarget): void {
    clearInterval(this.#timer);
    if (target.url !== '') this.#timer = setInterval(() => void this.push(target), target.interval * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. While one is under way the next one is skipped: counters are cumulative, nothing is lost. */
  async push(target: OtlpTarget): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    // Without what may be a secret in it.
    const where = new URL(target.url).origin;
    try {
      const families = await this.#families();
      const nowNs = BigInt(Date.now()) * 1_000_000n;
      const body = otlpRequest(families, { startNs: this.#startNs, nowNs, resource: this.#resource });
      const status = await this.#post(target, JSON.stringify(body));
      if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
      this.figures.sent++;
      if (this.#failing) this.#log(`OTLP: ${where} takes metrics again`);
      this.#failing = false;
    } catch (error) {
      this.figures.failed++;
      // Once per outage: the log is not to fill up with it.
      if (!this.#failing) this.#log(`OTLP: cannot export to ${where}: ${reason(error)}`);
      this.#failing = true;
    } finally {
      this.#busy = false;
    }
  }

  async #post({ url, gzip: compressed, timeoutMs }: OtlpTarget, text: string): Promise<number> {
    const body = compressed ? await compress(text) : Buffer.from(text);
    const { headers, ca, cert, key } = this.#secrets;
    const address = new URL(url);
    const send = address.protocol === 'https:' ? overHttps : overHttp;
    return new Promise((resolve, reject) => {
      const request = send(
        address,
        {
          method: 'POST',
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': body.length,
            ...(compressed ? { 'content-encoding': 'gzip' } : {}),
          },
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined || key === undefined ? {} : { cert, key }),
        },
        (response) => {
          response.on('error', reject);
          response.on('end', () => resolve(response.statusCode ?? 0));
          response.resume();
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
