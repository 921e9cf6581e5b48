// SPDX-License-Identifier: MIT
/**
 * The Helm chart: rendered by a small part of its template language, held to the types of Kubernetes and of the Prometheus
 * operator, its configuration to the daemon. UPDATE_GOLDEN=1 copies rules and dashboard into it.
 */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { parseConfig } from '../../src/daemon/read-config.js';
import { Template } from './helm.js';

interface Yaml {
  parse(text: string): unknown;
  parseAllDocuments(text: string): readonly { readonly errors: readonly unknown[]; toJS(): unknown }[];
  stringify(value: unknown): string;
}
type Model = new (document: unknown) => { validate(): void };
type Models = Readonly<Record<string, Model>>;

/** Of development dependencies that nothing but this test uses: their absence is said, and breaks no build. */
async function load<T>(name: string): Promise<T | null> {
  return (await import(name).catch(() => null)) as T | null;
}
const yaml = await load<Yaml>('yaml');
const models = [
  await load<Models>('kubernetes-models/v1'),
  await load<Models>('kubernetes-models/apps/v1'),
  await load<Models>('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'),
];
const skip = yaml === null || models.includes(null) ? 'yaml or kubernetes-models is not installed: npm ci' : false;

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CHART = join(ROOT, 'share/helm/vmalocktop');
const read = (name: string): string => readFileSync(join(CHART, name), 'utf8');
const parse = (name: string): unknown => yaml?.parse(read(name));
const values = (): Record<string, Record<string, unknown>> => parse('values.yaml') as never;
const chart = (): { name: string; version: string; appVersion: string } => parse('Chart.yaml') as never;

/** As Helm does: the schema is that of what is given over the defaults. */
const validate = new Ajv({ strict: true, allErrors: true }).compile(JSON.parse(read('values.schema.json')));

type Rendered = Readonly<Record<string, unknown>> & { kind: string; metadata: { name: string } };

function render(given: Record<string, unknown>): readonly Rendered[] {
  assert.ok(validate(given), JSON.stringify(validate.errors));
  const template = new Template(CHART, (value) => yaml?.stringify(value) ?? '');
  const { name, version, appVersion } = chart();
  const root = {
    Values: given,
    Release: { Name: 'vm', Namespace: 'observers' },
    Chart: { Name: name, Version: version, AppVersion: appVersion },
  };
  return readdirSync(join(CHART, 'templates'))
    .sort()
    .flatMap((file) => yaml?.parseAllDocuments(template.render(read(`templates/${file}`), root)) ?? [])
    .map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS() as Rendered | null;
    })
    .filter((document) => document !== null);
}

function dataOf(config: Rendered | undefined): Record<string, string> {
  return (config?.data ?? {}) as Record<string, string>;
}

function everything(): Record<string, Record<string, unknown>> {
  const given = values();
  for (const name of ['podMonitor', 'prometheusRule', 'dashboard']) Object.assign(given[name] ?? {}, { enabled: true });
  return given;
}

/** Throws where a field has another type or is missing; fields that nobody knows are let pass. */
function check(document: Rendered): void {
  const found = models.map((kinds) => kinds?.[document.kind]).find((kind) => kind !== undefined);
  assert.ok(found, document.kind);
  new found(document).validate();
}

test('it is of the version of the package', { skip }, () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  assert.deepEqual([chart().version, chart().appVersion], [version, version]);
});

test('rules and dashboard are those of share', () => {
  for (const name of ['prometheus/vmalocktop.rules.yml', 'grafana/vmalocktop.json']) {
    const copy = join(CHART, 'files', name.split('/').at(-1) ?? '');
    if (process.env.UPDATE_GOLDEN === '1') copyFileSync(join(ROOT, 'share', name), copy);
    assert.equal(readFileSync(copy, 'utf8'), readFileSync(join(ROOT, 'share', name), 'utf8'), name);
  }
});

test('with its defaults: a DaemonSet and its configuration', { skip }, () => {
  const rendered = render(values());
  assert.deepEqual(
    rendered.map(({ kind }) => kind),
    ['ConfigMap', 'DaemonSet'],
  );
});

test('all of it is as the types of Kubernetes and of the Prometheus operator have it', { skip }, () => {
  const rendered = render(everything());
  assert.deepEqual(rendered.map(({ kind }) => kind).sort(), [
    'ConfigMap',
    'ConfigMap',
    'DaemonSet',
    'PodMonitor',
    'PrometheusRule',
  ]);
  for (const document of rendered) {
    check(document);
    assert.equal((document.metadata as { namespace?: string }).namespace, 'observers');
  }
});

test('a wrong type is found', { skip }, () => {
  const [config] = render(values());
  assert.throws(() => check({ ...(config as Rendered), data: { 'daemon.toml': 1 } }), /must be string/);
});

test('the daemon takes its configuration, and what is added to it', { skip }, async () => {
  const given = everything();
  given.observe = { scope: 'all', pod: ['shop/web-0'], unit: ['kubelet', 'a "b"'] };
  const text = `${given.extraConfig}[flight]\nkeep = "60s"\ndirectory = "/var/lib/vmalocktop"\n`;
  const [config] = render({ ...given, extraConfig: text });
  const toml = dataOf(config)['daemon.toml'] ?? '';
  const { config: parsed } = await parseConfig(toml, 'daemon.toml');
  assert.equal(parsed.observe.scope, 'all');
  assert.deepEqual([parsed.observe.pod, parsed.observe.unit], [['shop/web-0'], ['kubelet', 'a "b"']]);
  assert.deepEqual([parsed.metrics.listen, parsed.metrics.profile], ['0.0.0.0:9753', 'fleet']);
  assert.equal(parsed.host.root, '/host');
  assert.equal(parsed.flight.keep, 60);
});

test('what the rules and the dashboard are is not changed by the way', { skip }, () => {
  const rendered = render(everything());
  const rule = rendered.find(({ kind }) => kind === 'PrometheusRule');
  assert.deepEqual(rule?.spec, parse('files/vmalocktop.rules.yml'));
  const dashboard = rendered.find(({ metadata }) => metadata.name === 'vm-dashboard');
  const text = dataOf(dashboard)['vmalocktop.json'] ?? '';
  assert.deepEqual(JSON.parse(text), JSON.parse(read('files/vmalocktop.json')));
});

test('values of another kind are refused', { skip }, () => {
  const wrong: readonly [string, unknown][] = [
    ['observe', { scope: 'some' }],
    ['metrics', { port: 0 }],
    ['metrics', { listen: ':9753' }],
    ['podMonitor', { enabled: 'yes' }],
    ['podmonitor', {}],
    ['extraConfig', {}],
  ];
  for (const [name, value] of wrong) assert.equal(validate({ ...values(), [name]: value }), false, name);
});
