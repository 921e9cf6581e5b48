// SPDX-License-Identifier: MIT
/** A real Prometheus scrapes the daemon, judges the rules, and answers the dashboard's queries. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch, startDaemon, until, writeRecording } from '../daemon/support.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const installed = spawnSync('prometheus', ['--version']).error === undefined;
const skip = installed ? false : 'prometheus is not installed (Debian: prometheus)';

/** Without mmap_lock's tracepoints, and where no verdict is known, there is nothing to ask for. */
const EMPTY_HERE = ['Wait for mmap_lock, mean'];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

test('Prometheus scrapes it, and every query of the dashboard has an answer', { skip }, async (t) => {
  const directory = scratch();
  chmodSync(directory.path, 0o777);
  const recording = join(directory.path, 'session.vmlt');
  await writeRecording(recording, 120);
  const daemon = await startDaemon(directory.path, recording, '');
  const port = await freePort();
  const config = join(directory.path, 'prometheus.yml');
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ['${join(ROOT, 'share/prometheus/vmalocktop.rules.yml')}']
scrape_configs: [{ job_name: vmalocktop, static_configs: [{ targets: ['${daemon.url.replace('http://', '')}'] }] }]
`,
  );
  const data = join(directory.path, 'data');
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${data}`, `--web.listen-address=127.0.0.1:${port}`];
  const prometheus = spawn('prometheus', args, { stdio: 'ignore' });
  const gone = new Promise((resolve) => prometheus.once('exit', resolve));
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`).catch(() => null);
    return response === null || !response.ok ? null : response.json();
  };
  const query = async (expression: string): Promise<Answer> =>
    (
      await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`)
    ).json() as Promise<Answer>;
  try {
    await until(
      async () =>
        JSON.stringify(
          await api('query?query=count_over_time(vmalocktop_faults_total%7Boutcome=%22retry%22%7D%5B1m%5D)'),
        ),
      (text) => Number(/"value":\[[\d.]+,"(\d+)"/.exec(text ?? '')?.[1]) >= 6,
      330,
    );
    const { panels } = JSON.parse(readFileSync(join(ROOT, 'share/grafana/vmalocktop.json'), 'utf8')) as {
      panels: readonly { title: string; targets: readonly { expr: string }[] }[];
    };
    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const answer = await query(expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5s'));
        assert.equal(answer.status, 'success', `${title}: ${answer.error}`);
        assert.equal(answer.data.result.length > 0, !EMPTY_HERE.includes(title), `${title}: ${expr}`);
      }
    }
    const rules = JSON.stringify(await api('rules'));
    assert.equal(rules.match(/"health":"ok"/g)?.length, 10, rules);
    const series = await query('scrape_samples_post_metric_relabeling');
    const [sample] = series.data.result;
    t.diagnostic(`${sample?.value[1]} series`);
    assert.ok(Number(sample?.value[1]) < 1000);
  } finally {
    prometheus.kill('SIGTERM');
    await gone;
    await daemon.end('SIGTERM');
    directory.remove();
  }
});
