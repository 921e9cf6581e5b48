// SPDX-License-Identifier: MIT
/** Metrics to an OpenTelemetry collector, now and then, beside everything else. */
import type { Family, Labels } from '../metrics/family.js';
import { otlpRequest } from '../metrics/otlp.js';

export interface OtlpTarget {
  readonly url: string;
  /** Seconds. */
  readonly interval: number;
}

const TIMEOUT_MS = 10_000;

export class OtlpPush {
  readonly figures: { sent: number; failed: number } = { sent: 0, failed: 0 };
  readonly #families: () => readonly Family[];
  readonly #resource: Labels;
  readonly #log: (line: string) => void;
  readonly #startNs: bigint = BigInt(Date.now()) * 1_000_000n;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #failing = false;

  constructor(families: () => readonly Family[], resource: Labels, log: (line: string) => void) {
    this.#families = families;
    this.#resource = resource;
    this.#log = log;
  }

  /** '' stops it. */
  start({ url, interval }: OtlpTarget): void {
    clearInterval(this.#timer);
    if (url !== '') this.#timer = setInterval(() => void this.push(url), interval * 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. While one is under way the next one is skipped: counters are cumulative, nothing is lost. */
  async push(url: string): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const nowNs = BigInt(Date.now()) * 1_000_000n;
      const body = otlpRequest(this.#families(), { startNs: this.#startNs, nowNs, resource: this.#resource });
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`it answered ${response.status}`);
      this.figures.sent++;
      if (this.#failing) this.#log(`OTLP: ${url} takes metrics again`);
      this.#failing = false;
    } catch (error) {
      this.figures.failed++;
      // Once per outage: the log is not to fill up with it.
      if (!this.#failing) this.#log(`OTLP: cannot export to ${url}: ${reason(error)}`);
      this.#failing = true;
    } finally {
      this.#busy = false;
    }
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
