// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { KEYS } from '../../src/daemon/config.js';
import type { Key } from '../../src/daemon/config-kinds.js';
import { fileName, fixedChanges, parseConfig } from '../../src/daemon/read-config.js';
import { UserError } from '../../src/errors.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

test('an empty file is the defaults, with the default alert rules', async () => {
  const { config, rules } = await parseConfig('', 'x');
  assert.equal(config.observe.scope, 'retry');
  assert.equal(config.metrics.listen, '127.0.0.1:9753');
  assert.equal(config.observe.ringSize, 16 * 2 ** 20);
  assert.ok(rules.some(({ name }) => name === 'retry-fallbacks'));
});

test('values are read in their units', async () => {
  const text = `
[observe]
ring_size = "64K"
pid = ["12"]
[otlp]
interval = "1.5m"
[alerts]
enabled = false
[[rule]]
name = "mine"
when = "dropped > 0"
`;
  const { config, rules } = await parseConfig(text, 'x');
  assert.equal(config.observe.ringSize, 65_536);
  assert.deepEqual(config.observe.pid, ['12']);
  assert.equal(config.otlp.interval, 90);
  assert.deepEqual(rules, []);
});

const MISTAKES: readonly (readonly [text: string, line: number, says: RegExp])[] = [
  ['[observe]\nscope = "some"', 2, /observe\.scope.*"swap", "retry", "all"/s],
  ['[observe]\n\nring_size = "3M"', 3, /observe\.ring_size.*power of two from "4K" to "1G"/s],
  ['[observe]\nmin_us = -1', 2, /observe\.min_us.*whole number from 0/s],
  ['[observe]\nwithout = ["no_such_hook"]', 2, /observe\.without has "no_such_hook".*doctor/s],
  ['[observe]\npid = ["x"]', 2, /observe\.pid.*process ids/s],
  ['[observe]\ncomm = "sixteen bytes ok"', 2, /observe\.comm has 16 bytes.*0 to 15/s],
  ['[metrics]\ntop_processes = 1.5', 2, /metrics\.top_processes.*whole number/s],
  ['[flight]\nkeep = 5', 2, /flight\.keep.*a time such as/s],
  ['[budget]\nwindow = "1ms"', 2, /budget\.window is too short/],
  ['[observe]\nscop = "all"', 2, /observe\.scop is not known.*scope/s],
  ['[socket]\n[tables]', 2, /tables is not known.*observe, metrics/s],
  ['observe = 3', 1, /observe.*a table/s],
  ['[[rule]]\nname = "a"\nwhen = "no_such_field > 1"', 3, /no_such_field/],
];

for (const [text, line, says] of MISTAKES) {
  test(`${JSON.stringify(text)} names file, line, key and what is allowed`, async () => {
    await assert.rejects(parseConfig(text, 'daemon.toml'), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exitCode, 2);
      const all = `${error.message}\n${error.remedy}`;
      assert.match(all, /daemon\.toml/);
      assert.match(all, new RegExp(`line ${line}\\b`));
      assert.match(all, says);
      return true;
    });
  });
}

test('what a running daemon cannot change is told from what it can', async () => {
  const { config: was } = await parseConfig('', 'x');
  const { config: soft } = await parseConfig('[budget]\ncpu_percent = 5\n[metrics]\ntop_processes = 3', 'x');
  const { config: hard } = await parseConfig('[observe]\nmin_us = 5\n[socket]\npath = "/x"', 'x');
  assert.deepEqual(fixedChanges(was, soft), []);
  assert.deepEqual(fixedChanges(was, hard), ['observe.min_us', 'socket.path']);
});

test('every key is documented with what it allows, and no other is', () => {
  const text = readFileSync(join(ROOT, 'docs/daemon.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([a-z]+\.[a-z_]+)` \| (.*?) \| (.*?) \|/gm)].map(([, name, allowed]) => [
    name,
    allowed,
  ]);
  const tables = KEYS as Readonly<Record<string, Readonly<Record<string, Key<unknown>>>>>;
  const keys = Object.entries(tables).flatMap(([table, all]) =>
    Object.entries(all).map(([name, { kind }]) => [`${table}.${fileName(name)}`, kind.allowed]),
  );
  assert.deepEqual(rows, keys);
});

test('the configuration that comes with the service can be used', async () => {
  const { config, actions } = await parseConfig(readFileSync(join(ROOT, 'share/systemd/daemon.toml'), 'utf8'), 'x');
  assert.equal(config.privileges.user, 'vmalocktop');
  assert.deepEqual(
    actions.map(({ type }) => type),
    ['log', 'flight-recorder'],
  );
});
