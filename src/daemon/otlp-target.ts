// SPDX-License-Identifier: MIT
/**
 * Where metrics are exported to: the configuration, and behind it the variables every OpenTelemetry exporter knows
 * (opentelemetry.io, protocol/exporter and resource/sdk). Secrets are read once, before privileges go.
 */
import { readFileSync } from 'node:fs';
import { ExitCode, fileError, UserError } from '../errors.js';
import type { Labels } from '../metrics/family.js';
import type { DaemonConfig } from './config.js';

export interface OtlpSecrets {
  readonly headers: Readonly<Record<string, string>>;
  /** PEM; absent: the system's certificates, and none of our own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Of the resource, beside what the session says. */
  readonly resource: Labels;
}

export interface OtlpTarget {
  /** '' for none. */
  readonly url: string;
  /** Seconds. */
  readonly interval: number;
  readonly gzip: boolean;
  readonly timeoutMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_TIMEOUT_MS = 10_000;
/** As of the configuration. A timer of more than 2^31 ms goes off at once, again and again. */
const MAX_MS = 3_600_000;

function usage(what: string, why: string, advice: string): UserError {
  return new UserError(what, why, advice, ExitCode.Usage);
}

/** A variable for metrics, else the one for every signal; an empty one is as good as none. */
function variable(environment: Environment, name: string): string | undefined {
  return environment[`OTEL_EXPORTER_OTLP_METRICS_${name}`] || environment[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
}

/** The endpoint of all signals gets the path of metrics; one for metrics is taken as it is. */
function endpoint(environment: Environment): string {
  const own = environment.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT;
  if (own) return own;
  const common = environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return common ? `${common.replace(/\/$/, '')}/v1/metrics` : '';
}

/** `a=b,c=d` with percent-encoded values (W3C Baggage), as OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES have it. */
function pairs(text: string | undefined, name: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const part of (text ?? '').split(',').map((it) => it.trim())) {
    if (part === '') continue;
    const at = part.indexOf('=');
    try {
      if (at <= 0) throw new Error('no =');
      found[decodeURIComponent(part.slice(0, at).trim())] = decodeURIComponent(part.slice(at + 1).trim());
    } catch {
      // Not the part itself: it may be a secret.
      throw usage(
        `cannot use ${name}`,
        'it is not key=value,key=value with percent-encoded values',
        'write it in that form',
      );
    }
  }
  return found;
}

/** `{url, interval, …}`. With `OTEL_SDK_DISABLED=true` nothing is exported. Throws a `UserError`. */
export function otlpTarget(config: DaemonConfig['otlp'], environment: Environment = process.env): OtlpTarget {
  const disabled = environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true';
  const url = disabled ? '' : config.url || endpoint(environment);
  if (url !== '' && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
    throw usage(
      'cannot export metrics',
      `${JSON.stringify(url)} is not an address`,
      'give one such as http://127.0.0.1:4318/v1/metrics',
    );
  const protocol = variable(environment, 'PROTOCOL');
  if (config.url === '' && url !== '' && protocol !== undefined && protocol !== 'http/json')
    throw usage(
      'cannot export metrics',
      `OTEL_EXPORTER_OTLP_PROTOCOL is ${JSON.stringify(protocol)}, but only http/json is supported`,
      'set it to http/json, which collectors accept on the port of http/protobuf',
    );
  const everyMs = Number(environment.OTEL_METRIC_EXPORT_INTERVAL);
  const timeoutMs = Number(variable(environment, 'TIMEOUT'));
  return {
    url,
    interval: config.url === '' && everyMs >= 1000 ? Math.min(everyMs, MAX_MS) / 1000 : config.interval,
    gzip: config.gzip || variable(environment, 'COMPRESSION') === 'gzip',
    timeoutMs: timeoutMs > 0 ? Math.ceil(Math.min(timeoutMs, MAX_MS)) : DEFAULT_TIMEOUT_MS,
  };
}

function read(path: string | undefined): string | undefined {
  if (path === undefined || path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

/** Lines of `name: value`. */
function headersOf(path: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of (read(path) ?? '').split('\n')) {
    if (line.trim() === '') continue;
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === '')
      throw usage(
        `cannot use ${path}`,
        'a line is not name: value',
        'write one header on each line, and give the file mode 0600',
      );
    headers[name] = value;
  }
  return headers;
}

/** Before privileges go. Throws a `UserError`. */
export function otlpSecrets(config: DaemonConfig['otlp'], environment: Environment = process.env): OtlpSecrets {
  const pem = {
    ca: read(config.ca || variable(environment, 'CERTIFICATE')),
    cert: read(config.clientCert || variable(environment, 'CLIENT_CERTIFICATE')),
    key: read(config.clientKey || variable(environment, 'CLIENT_KEY')),
  };
  if ((pem.cert === undefined) !== (pem.key === undefined))
    throw usage(
      'cannot export metrics over TLS',
      'a client certificate needs its key, and a key needs its certificate',
      'set both',
    );
  const service = environment.OTEL_SERVICE_NAME;
  return {
    headers: {
      ...pairs(environment.OTEL_EXPORTER_OTLP_HEADERS, 'OTEL_EXPORTER_OTLP_HEADERS'),
      ...pairs(environment.OTEL_EXPORTER_OTLP_METRICS_HEADERS, 'OTEL_EXPORTER_OTLP_METRICS_HEADERS'),
      ...(config.headersFile === '' ? {} : headersOf(config.headersFile)),
    },
    ...(pem.ca !== undefined && { ca: pem.ca }),
    ...(pem.cert !== undefined && pem.key !== undefined && { cert: pem.cert, key: pem.key }),
    resource: {
      ...pairs(environment.OTEL_RESOURCE_ATTRIBUTES, 'OTEL_RESOURCE_ATTRIBUTES'),
      ...(service ? { 'service.name': service } : {}),
    },
  };
}
