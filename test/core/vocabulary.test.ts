// SPDX-License-Identifier: MIT
/** Rows of causes, waits and verdicts hold together, and documents name every one of them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ABORT_CAUSES, CAUSES, factsOf, RETRY_CAUSES } from '../../src/core/vocabulary/causes.js';
import { VERDICT_FACTS, VERDICTS } from '../../src/core/vocabulary/verdicts.js';
import { reportedWait, snakeCase, WAIT_FACTS, WAIT_KINDS, WAIT_NAMES } from '../../src/core/vocabulary/waits.js';
import { VlWait } from '../../src/schema/events.gen.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const page = (name: string): string => readFileSync(`${ROOT}docs/${name}`, 'utf8');
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

describe('the rows', () => {
  it('have ids of their own, in kebab-case', () => {
    const ids = CAUSES.map((cause) => factsOf(cause).id);
    assert.equal(new Set(ids).size, CAUSES.length);
    const verdicts = VERDICTS.map((kind) => VERDICT_FACTS[kind].id);
    assert.equal(new Set(verdicts).size, VERDICTS.length);
    assert.deepEqual(
      [...ids, ...verdicts].filter((id) => !KEBAB.test(id)),
      [],
    );
  });

  it('say what happened in a sentence', () => {
    const sentences = [
      ...CAUSES.map((cause) => factsOf(cause).sentence),
      ...VERDICTS.map((kind) => VERDICT_FACTS[kind].sentence),
    ];
    assert.equal(new Set(sentences).size, sentences.length, 'each its own');
    for (const sentence of sentences) assert.match(sentence, /^\S.*\.$/);
  });

  it('of waits have a title of their own, and a task in that wait is described by it', () => {
    assert.equal(new Set(WAIT_NAMES.map((name) => WAIT_FACTS[name].title)).size, WAIT_NAMES.length);
    for (const kind of WAIT_KINDS) {
      const { now, title } = WAIT_FACTS[kind];
      assert.ok(now.endsWith(title), `${now}: ${title}`);
    }
  });

  it('stand for every wait that programs report, each once', () => {
    const kinds = Object.values(VlWait).map(reportedWait);
    assert.deepEqual(
      kinds.filter((kind) => kind === undefined),
      [],
    );
    assert.equal(new Set(kinds).size, kinds.length);
    assert.equal(reportedWait(0), undefined);
    assert.equal(reportedWait(99), undefined, "a later version's");
  });
});

describe('documents', () => {
  const rows = (text: string): ReadonlySet<string> =>
    new Set([...text.matchAll(/^\| ([^|]+?) \|/gm)].map((match) => match[1] ?? ''));

  it('say of each cause how it is made', () => {
    const [, retries = '', aborts = ''] = /## RETRY(.*?)## ABORT(.*?)## Ends/s.exec(page('causes.md')) ?? [];
    assert.deepEqual(
      RETRY_CAUSES.filter((cause) => cause !== 'unknown' && !rows(retries).has(cause)),
      [],
    );
    assert.deepEqual(
      ABORT_CAUSES.filter((cause) => !rows(aborts).has(cause)),
      [],
    );
    const known: ReadonlySet<string> = new Set(['Cause', '---', ...CAUSES]);
    assert.deepEqual(
      [...rows(retries), ...rows(aborts)].filter((row) => !known.has(row) && !row.startsWith('-')),
      [],
    );
  });

  it('list the fields of each wait in alert rules, with its name', () => {
    const text = page('alerts.md');
    assert.deepEqual(
      WAIT_NAMES.filter((name) => !text.includes(`| \`${snakeCase(name)}_wait\` | ${WAIT_FACTS[name].title} |`)),
      [],
    );
  });
});
