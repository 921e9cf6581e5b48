// SPDX-License-Identifier: MIT
/** Exports to a collector: what is sent, how it is packed, which certificates it trusts, and the environment variables every exporter knows. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, createServer as overHttp, type Server, type ServerResponse } from 'node:http';
import { createServer as overHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { OtlpPush } from '../../src/daemon/otlp-push.js';
import { otlpSecrets, otlpTarget } from '../../src/daemon/otlp-target.js';
import { parseConfig } from '../../src/daemon/read-config.js';
import type { Family } from '../../src/metrics/family.js';

const FAMILIES: readonly Family[] = [
  { name: 'x_retries', help: 'R.', unit: '', type: 'counter', samples: [{ labels: { cause: 'a' }, value: 3 }] },
  {
    name: 'x_wait_seconds',
    help: 'W.',
    unit: 'seconds',
    type: 'summary',
    samples: [{ labels: { kind: 'folio' }, sum: 1.5, count: 7 }],
  },
];

async function otlp(toml = ''): ReturnType<typeof parseConfig> {
  return parseConfig(toml === '' ? '' : `[otlp]\n${toml}`, 'test.toml');
}

interface Got {
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function collector(server: Server): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(200).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `://127.0.0.1:${(server.address() as AddressInfo).port}/v1/metrics`, got };
}

async function pushed(
  toml: string,
  environment: Record<string, string> = {},
): Promise<{ push: OtlpPush; lines: string[] }> {
  const { config } = await otlp(toml);
  const lines: string[] = [];
  const secrets = otlpSecrets(config.otlp, environment);
  const push = new OtlpPush(
    async () => FAMILIES,
    { 'host.name': 'h', 'service.version': '1' },
    secrets,
    (line) => lines.push(line),
  );
  await push.push(otlpTarget(config.otlp, environment));
  return { push, lines };
}

describe('OTLP', () => {
  const dir = mkdtempSync(join(tmpdir(), 'otlp-test-'));
  const path = (name: string): string => join(dir, name);
  before(() => {
    const args = (name: string): string[] =>
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout ${path(`${name}.key`)} -out ${path(`${name}.pem`)}`.split(
        ' ',
      );
    for (const name of ['server', 'client']) execFileSync('openssl', args(name), { stdio: 'pipe' });
    writeFileSync(path('headers'), 'Authorization: Bearer s3cret=,;\nX-Scope-OrgID: 7\n');
  });
  after(() => rmSync(dir, { recursive: true }));

  test('headers of a file, gzip, sums in place of a summary, attributes of the resource', async (t) => {
    const server = overHttp();
    t.after(() => server.close());
    const { url, got } = await collector(server);
    const { push } = await pushed(`url = "http${url}"\ngzip = true\nheaders_file = "${path('headers')}"`, {
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod,k8s.node.name=a%2Cb',
      OTEL_SERVICE_NAME: 'faults',
    });
    assert.deepEqual(push.figures, { sent: 1, failed: 0 });
    const [{ headers, body }] = got as [Got];
    assert.equal(headers.authorization, 'Bearer s3cret=,;');
    assert.equal(headers['x-scope-orgid'], '7');
    assert.equal(headers['content-encoding'], 'gzip');
    assert.equal(headers['content-type'], 'application/json');
    const [{ resource, scopeMetrics }] = JSON.parse(gunzipSync(body).toString()).resourceMetrics;
    const attributes = Object.fromEntries(
      resource.attributes.map(({ key, value }: { key: string; value: { stringValue: string } }) => [
        key,
        value.stringValue,
      ]),
    );
    assert.deepEqual(attributes, {
      'service.name': 'faults',
      'host.name': 'h',
      'service.version': '1',
      'deployment.environment': 'prod',
      'k8s.node.name': 'a,b',
    });
    const { metrics } = scopeMetrics[0];
    assert.deepEqual(
      metrics.map(({ name, sum }: { name: string; sum: { dataPoints: { asDouble: number }[] } }) => [
        name,
        sum.dataPoints[0]?.asDouble,
      ]),
      [
        ['x_retries', 3],
        ['x_wait_seconds_sum', 1.5],
        ['x_wait_seconds_count', 7],
      ],
    );
  });

  test('over TLS: who is believed, and who we are', async (t) => {
    const server = overHttps({
      cert: readFileSync(path('server.pem')),
      key: readFileSync(path('server.key')),
      ca: readFileSync(path('client.pem')),
      requestCert: true,
      rejectUnauthorized: true,
    });
    t.after(() => server.close());
    const { url, got } = await collector(server);
    const stranger = await pushed(`url = "https${url}"`);
    assert.deepEqual(stranger.push.figures, { sent: 0, failed: 1 });
    assert.match(stranger.lines[0] ?? '', /cannot export to https:\/\/127\.0\.0\.1:\d+: .*self-signed/);
    const nobody = await pushed(`url = "https${url}"\nca = "${path('server.pem')}"`);
    assert.deepEqual(nobody.push.figures, { sent: 0, failed: 1 });
    const known = await pushed(
      `url = "https${url}"\nca = "${path('server.pem')}"\nclient_cert = "${path('client.pem')}"\nclient_key = "${path('client.key')}"`,
    );
    assert.deepEqual(known.lines, []);
    assert.deepEqual(known.push.figures, { sent: 1, failed: 0 });
    // By the variables of every exporter.
    const { push } = await pushed('', {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https${url}`.replace('/v1/metrics', '/'),
      OTEL_EXPORTER_OTLP_CERTIFICATE: path('server.pem'),
      OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE: path('client.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: path('client.key'),
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%3Db, x=1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    });
    assert.deepEqual(push.figures, { sent: 1, failed: 0 });
    assert.equal(got.at(-1)?.headers['api-key'], 'a=b');
    assert.equal(got.at(-1)?.headers['content-encoding'], 'gzip');
  });

  test('the configuration goes before variables; metrics before all signals; nothing where it is disabled', async () => {
    const { config: none } = await otlp();
    const { config: own } = await otlp('url = "http://c:1/v1/metrics"\ninterval = "30s"');
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318',
      OTEL_METRIC_EXPORT_INTERVAL: '5000',
      OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
    };
    assert.equal(otlpTarget(none.otlp, {}).url, '');
    assert.deepEqual(otlpTarget(none.otlp, environment), {
      url: 'http://a:4318/v1/metrics',
      interval: 5,
      gzip: false,
      timeoutMs: 2500,
    });
    // Node's timers have 31 bits: what is more goes off at once, and again.
    for (const [interval, timeout] of [
      ['99999999999', '1e300'],
      ['Infinity', 'Infinity'],
    ] as const) {
      const long = { ...environment, OTEL_METRIC_EXPORT_INTERVAL: interval, OTEL_EXPORTER_OTLP_TIMEOUT: timeout };
      const { interval: every, timeoutMs } = otlpTarget(none.otlp, long);
      assert.deepEqual([every, timeoutMs], [3600, 3_600_000]);
    }
    assert.equal(otlpTarget(none.otlp, { ...environment, OTEL_EXPORTER_OTLP_TIMEOUT: '2500.5' }).timeoutMs, 2501);
    const metrics = { ...environment, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b/x' };
    assert.equal(otlpTarget(none.otlp, metrics).url, 'http://b/x');
    const target = otlpTarget(own.otlp, metrics);
    assert.deepEqual([target.url, target.interval], ['http://c:1/v1/metrics', 30]);
    assert.equal(otlpTarget(own.otlp, { OTEL_SDK_DISABLED: 'true' }).url, '');
  });

  test('what cannot be used is refused at the start, without telling the secret', async () => {
    const { config } = await otlp(`url = "http://c/"\nclient_cert = "${path('client.pem')}"`);
    assert.throws(() => otlpSecrets(config.otlp, {}), /a client certificate needs its key/);
    const { config: none } = await otlp();
    assert.throws(() => otlpTarget(none.otlp, { OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317x y' }), /is not an address/);
    assert.throws(
      () => otlpTarget(none.otlp, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
      /only http\/json is supported/,
    );
    assert.throws(
      () => otlpSecrets(none.otlp, { OTEL_EXPORTER_OTLP_HEADERS: 's3cret' }),
      (error: Error) => /OTEL_EXPORTER_OTLP_HEADERS/.test(error.message) && !error.message.includes('s3cret'),
    );
    writeFileSync(path('bad'), 's3cret\n');
    const { config: bad } = await otlp(`headers_file = "${path('bad')}"`);
    assert.throws(
      () => otlpSecrets(bad.otlp, {}),
      (error: Error) => !error.message.includes('s3cret'),
    );
    const { config: absent } = await otlp(`ca = "${path('absent')}"`);
    assert.throws(() => otlpSecrets(absent.otlp, {}), /absent: no such file/);
  });
});
