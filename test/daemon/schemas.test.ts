// SPDX-License-Identifier: MIT
/** The JSON Schemas that come along, held to the code by a validator. UPDATE_GOLDEN=1 writes that of the configuration. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { getStaticTOMLValue, parseTOML } from 'toml-eslint-parser';
import { alertMessage } from '../../src/actions/message.js';
import { GROUPINGS, SEVERITIES } from '../../src/core/alerts/event.js';
import { configSchema } from '../../src/daemon/config-schema.js';
import { parseConfig } from '../../src/daemon/read-config.js';
import { EVENT } from '../alerts/event.js';
import { MAIN } from '../cli/run.js';
import { syntheticSession } from '../core/session.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const path = (name: string): string => join(ROOT, 'share/schemas', `${name}.schema.json`);

/** Tells whether a document is valid; null, or why not. */
function validator(name: string): (document: unknown) => string | null {
  const schema = JSON.parse(readFileSync(path(name), 'utf8')) as object;
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
  return (document) => (validate(document) ? null : JSON.stringify(validate.errors));
}

test('the schema of the configuration is made of its keys', () => {
  const text = `${JSON.stringify(configSchema(), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path('config'), text);
  assert.deepEqual(JSON.parse(readFileSync(path('config'), 'utf8')), JSON.parse(text));
});

test('what the schema of the configuration takes and refuses, the daemon does too', async () => {
  const why = validator('config');
  const taken = [
    '',
    readFileSync(join(ROOT, 'share/systemd/daemon.toml'), 'utf8'),
    '[observe]\nscope = "all"\npid = ["12"]\nring_size = "64K"\n[budget]\ncpu_percent = 2.5\nlock = false\n[flight]\nkeep = "1m"\n',
    '[lake]\ndirectory = "/x"\ntables = ["waits"]\n[metrics]\nprofile = "fleet"\n',
  ];
  const refused = [
    '[observe]\nscope = "some"\n',
    '[observe]\nmin_us = -1\n',
    '[observe]\nscop = "all"\n',
    '[metrics]\ntop_processes = 1.5\n',
    '[flight]\nkeep = 5\n',
    '[flight]\nsize = "64X"\n',
    '[alerts]\nenabled = "yes"\n',
    '[tables]\n',
    'observe = 3\n',
    'rule = 1\n',
  ];
  for (const toml of taken) {
    assert.equal(why(getStaticTOMLValue(parseTOML(toml))), null, toml);
    await parseConfig(toml, 'x');
  }
  for (const toml of refused) {
    assert.notEqual(why(getStaticTOMLValue(parseTOML(toml))), null, toml);
    await assert.rejects(parseConfig(toml, 'x'), toml);
  }
});

test('every alert event is as its schema says, and the schema says no more', () => {
  const why = validator('alert-event');
  const session = syntheticSession();
  for (const severity of SEVERITIES) {
    for (const by of [null, ...GROUPINGS]) {
      const group = by === null ? null : { by, key: '1', name: 'x' };
      for (const kind of ['firing', 'resolved'] as const) {
        const message = JSON.parse(JSON.stringify(alertMessage({ ...EVENT, severity, group, kind }, session)));
        assert.equal(why(message), null);
        assert.equal(why({ ...message, flight: '/x.vmlt' }), null);
        assert.notEqual(why({ ...message, more: 1 }), null);
        for (const key of Object.keys(message)) {
          const { [key]: _, ...without } = message;
          assert.notEqual(why(without), null, `${key} is required`);
        }
      }
    }
  }
});

test('the schema of stat --json takes what stat says of every recording, and nothing else', () => {
  const why = validator('stat');
  const recordings = readdirSync(join(ROOT, 'test/golden')).filter((name) => name.endsWith('.vmlt'));
  assert.ok(recordings.length >= 5);
  for (const name of recordings) {
    const { stdout, status } = spawnSync(process.execPath, [MAIN, 'stat', '--json', join(ROOT, 'test/golden', name)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    });
    assert.equal(status, 0, name);
    const document = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(why(document), null, name);
    // Neither a key too many nor one too few passes: the schema is no more generous than the document.
    assert.notEqual(why({ ...document, more: 1 }), null);
    if (!name.startsWith('forked')) continue;
    for (const key of Object.keys(document)) {
      const { [key]: _, ...less } = document;
      assert.notEqual(why(less), null, key);
    }
  }
});
