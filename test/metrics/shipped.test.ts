// SPDX-License-Identifier: MIT
/** The rules and the Grafana dashboard use only metrics, labels and label values that exist. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Family } from '../../src/metrics/family.js';
import { makeDaemon, sessionSource } from '../daemon/support.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const RULES = join(ROOT, 'share/prometheus/vmalocktop.rules.yml');

/** Series by name, each with its labels. */
async function series(): Promise<ReadonlyMap<string, readonly Readonly<Record<string, string>>[]>> {
  const { daemon } = await makeDaemon(sessionSource(1), '');
  await daemon.run();
  const known = new Map<string, readonly Readonly<Record<string, string>>[]>();
  const names = (family: Family): string[] => {
    const { name, type } = family;
    if (type === 'counter') return [`${name}_total`];
    if (type === 'gauge') return [name];
    return type === 'summary'
      ? [`${name}_sum`, `${name}_count`]
      : ['bucket', 'sum', 'count'].map((it) => `${name}_${it}`);
  };
  for (const family of daemon.families())
    for (const name of names(family))
      known.set(
        name,
        family.samples.map(({ labels }) => labels),
      );
  return known;
}

/** What Prometheus adds. */
const ADDED = new Set(['instance', 'job', 'le']);

async function demandKnown(expressions: readonly string[]): Promise<void> {
  const known = await series();
  for (const expression of expressions) {
    const used = [...expression.matchAll(/(?<![:\w])(vmalocktop_\w+)(?:\{([^}]*)\})?/g)];
    assert.ok(used.length > 0 || /\b(up|instance:)/.test(expression), expression);
    for (const [, name = '', selector = ''] of used) {
      const samples = known.get(name);
      assert.ok(samples, `${name} in ${expression}`);
      for (const [, label = '', operator = '', value = ''] of selector.matchAll(/(\w+)\s*(=~|=)\s*"([^"]*)"/g)) {
        if (ADDED.has(label)) continue;
        const words = operator === '=~' ? value.split('|') : [value];
        // Metrics of mmap_lock's tracepoints and of devices have no samples in this session.
        for (const word of words)
          assert.ok(
            samples.some((labels) => labels[label] === word),
            `${label}="${word}" of ${name} in ${expression}`,
          );
      }
    }
  }
}

test('the Grafana dashboard', async () => {
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'share/grafana/vmalocktop.json'), 'utf8')) as {
    panels: readonly { id: number; title: string; targets: readonly { expr: string }[] }[];
  };
  assert.ok(panels.length >= 10);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  await demandKnown(panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)));
});

test('the Prometheus rules', async () => {
  const text = readFileSync(RULES, 'utf8');
  const expressions = [...text.matchAll(/expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/g)].map(
    ([, block, line]) => block ?? line ?? '',
  );
  assert.equal(expressions.length, 10);
  await demandKnown(expressions);
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;

test('promtool finds nothing in the rules', {
  skip: promtool ? false : 'promtool is not installed (Debian: prometheus)',
}, () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'rules', RULES], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});
