// SPDX-License-Identifier: MIT
/** The systemd unit: what the docs say of it is what systemd says, and its configuration can be used. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../cli/run.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const UNIT = join(ROOT, 'share/systemd/vmalocktop.service');

const [, version = '', figure = ''] =
  /systemd (\d+) rates the unit ([\d.]+)/.exec(readFileSync(join(ROOT, 'docs/daemon.md'), 'utf8')) ?? [];
const installed = /^systemd (\d+)/.exec(
  spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' }).stdout ?? '',
)?.[1];
const why =
  installed === undefined
    ? 'systemd-analyze is not installed'
    : `systemd-analyze is of systemd ${installed}, the figure of ${version}: each version rates in its own way`;

test('its exposure is the one in the docs', { skip: installed === version ? false : why }, () => {
  const { stdout, status, stderr } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', UNIT], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(/Overall exposure level for vmalocktop\.service: ([\d.]+)/.exec(stdout)?.[1], figure);
});

test('its configuration can be used', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'vmalocktop-unit-'));
  t.after(() => rmSync(directory, { recursive: true }));
  // The user that sysusers makes is not on every host that runs tests.
  const text = readFileSync(join(ROOT, 'share/systemd/daemon.toml'), 'utf8');
  const path = join(directory, 'daemon.toml');
  // Nor may everybody who does make a directory in /var/lib.
  const here = [
    ['group = "vmalocktop"', ''],
    ['user = "vmalocktop"', 'user = "nobody"'],
    ['"/var/lib/vmalocktop"', JSON.stringify(join(directory, 'flights'))],
  ] as const;
  writeFileSync(
    path,
    here.reduce((all, [there, instead]) => all.replace(there, instead), text),
  );
  const { code, stdout, stderr } = await run(['daemon', '--config', path, '--check-config']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /ok, 11 alert rules/);
});
