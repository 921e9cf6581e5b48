// SPDX-License-Identifier: MIT
/** The profile for fleets: it has a fixed number of series, whatever the host does, and they agree with the full ones. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Family } from '../../src/metrics/family.js';
import { metricsText } from '../../src/metrics/text.js';
import { openFile } from '../../src/recording/read/file.js';
import { makeDaemon, sessionSource } from '../daemon/support.js';
import { GUEST_RECORDING, STACK_RECORDING } from '../export/support.js';

const FLEET = '[metrics]\nprofile = "fleet"\n';

function seriesOf(families: readonly Family[]): string[] {
  return metricsText(families, 'prometheus')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));
}

const SOURCES = {
  'a made session': () => sessionSource(3),
  'swap-7.3': () => openFile(GUEST_RECORDING),
  'mixed-7.3': () => openFile(STACK_RECORDING),
} as const;

for (const [name, open] of Object.entries(SOURCES)) {
  test(`${name}: 60 series at most, none of a process, a device or a rule`, async () => {
    const [full, fleet] = await Promise.all(
      ['', FLEET].map(async (toml) => {
        const { daemon } = await makeDaemon(await open(), toml);
        await daemon.run();
        return daemon.families();
      }),
    );
    assert.ok(full && fleet);
    const series = seriesOf(fleet);
    assert.ok(series.length <= 60 && series.length > 40, `${series.length}`);
    assert.ok(seriesOf(full).length > 2 * series.length);
    for (const one of series) assert.doesNotMatch(one, /[{,](pid|comm|cgroup|id|mm|device|rule)=/);
    const values = new Map(
      metricsText(full, 'prometheus')
        .split('\n')
        .map((line) => line.split(/ (?=\S+$)/)) as [string, string][],
    );
    const changing = /memory|cpu|alerts_(firing|fired)/;
    for (const line of metricsText(fleet, 'prometheus').split('\n')) {
      if (line === '' || line.startsWith('#') || changing.test(line)) continue;
      const [one = '', value] = line.split(/ (?=\S+$)/);
      assert.equal(values.get(one), value, one);
    }
  });
}

test('alerts are told by severity, all rules together', async () => {
  const { daemon } = await makeDaemon(sessionSource(1), FLEET);
  await daemon.run();
  const fired = daemon.families().find(({ name }) => name === 'vmalocktop_alerts_fired');
  const severities = fired?.samples.map(({ labels }) => labels.severity) ?? [];
  assert.ok(severities.length > 1 && new Set(severities).size === severities.length);
  assert.ok(severities.every((it) => ['info', 'warning', 'critical'].includes(it ?? '')));
});
