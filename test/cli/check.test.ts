// SPDX-License-Identifier: MIT
/** `check` over recordings: the document, the words, and the exit code. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CheckReport } from '../../src/core/check/report.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { BREAKS, livesOf } from '../core/check-breaks.js';
import { sessionOf } from '../core/check-life.js';
import { shapesOf } from '../core/check-shapes.js';
import { streamOf } from '../core/check-streams.js';
import { run } from './run.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
let dir = '';
let bad = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-check-'));
  bad = join(dir, 'bad.vmlt');
  const broken = BREAKS.find((one) => one.rule === 13);
  assert.ok(broken !== undefined);
  const batch = streamOf([[...shapesOf('7.3'), ...livesOf(broken, '7.3'), ...shapesOf('7.3')]], 1);
  const writer = await createRecordingWriter(sessionOf('7.3'), await fileSink(bad));
  await writer.write(batch);
  await writer.end();
});
after(() => rm(dir, { recursive: true }));

test('a recording of a real kernel obeys: exit code 0, one document with every rule', async () => {
  const { code, stdout, stderr } = await run(['check', '--json', GOLDEN]);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const document = JSON.parse(stdout) as CheckReport;
  assert.equal(document.v, 1);
  assert.match(document.kernel, /^7\.3\.4/);
  assert.equal(document.scope, 'retry');
  assert.deepEqual(
    document.rules.map((rule) => rule.rule),
    Array.from({ length: 28 }, (_, i) => i + 1),
  );
  for (const rule of document.rules) {
    assert.ok(['held', 'not observable here', 'finding'].includes(rule.result));
    assert.equal(rule.why === '', rule.result !== 'not observable here');
    assert.ok(rule.statement.length > 20);
  }
  assert.deepEqual(document.events, { emitted: 43487, decoded: 43487, dropped: 0, missed: 73 });
});

test('words go with the same figures, and a recording may come on stdin', async () => {
  const [file, stream] = await Promise.all([
    run(['check', GOLDEN]),
    run(['check', '-'], { stdin: await readFile(GOLDEN) }),
  ]);
  assert.equal(file.code, 0);
  assert.equal(stream.stdout, file.stdout);
  assert.match(file.stdout, / 1 {2}held 5,857 times +Under the VMA lock/);
  assert.match(file.stdout, /10 {2}rules held, 0 violated, 17 not observable here/);
});

test('a violation: exit code 1, and the lifecycle in the document', async () => {
  const [json, text] = await Promise.all([run(['check', '--json', bad]), run(['check', bad])]);
  assert.equal(json.code, 1);
  assert.equal(text.code, 1);
  const document = JSON.parse(json.stdout) as CheckReport;
  const violated = document.rules.filter((rule) => rule.result === 'violated');
  assert.deepEqual(
    violated.map((rule) => rule.rule),
    [13],
  );
  const steps = violated[0]?.example?.steps.map((step) => `${step.hook} ${step.words}`) ?? [];
  assert.ok(steps.includes('__folio_lock_or_retry returned 0'), steps.join('\n'));
  assert.match(text.stdout, /Rule 13 violated/);
});

test('a recording that was cut off is checked as far as it goes, and says so', async () => {
  const bytes = await readFile(GOLDEN);
  const cut = join(dir, 'cut.vmlt');
  await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
  const { code, stdout, stderr } = await run(['check', '--json', cut]);
  const document = JSON.parse(stdout) as CheckReport & { readonly truncated?: string };
  assert.equal(document.ended, false);
  assert.equal(document.rules.filter((rule) => rule.violated > 0).length, 0);
  assert.ok((document.truncated ?? '') !== '');
  assert.match(stderr, /cut off/);
  assert.equal(code, 0);
});

test('a time range of a recording: faults it cuts through are set aside', async () => {
  const { code, stdout } = await run(['check', '--json', '--from', '2s', '--to', '4s', GOLDEN]);
  const document = JSON.parse(stdout) as CheckReport;
  assert.equal(code, 0);
  assert.ok(document.lifecycles.total > 100 && document.lifecycles.total < 5907, String(document.lifecycles.total));
  assert.equal(document.rules.filter((rule) => rule.violated > 0).length, 0);
});

test('what cannot be: a recording with a command, live options on a recording, no such file', async () => {
  const both = await run(['check', bad, '--', 'true']);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /both a recording and a command/);
  const live = await run(['check', '--scope', 'swap', bad]);
  assert.equal(live.code, 2);
  assert.match(live.stderr, /--scope acts only while the kernel is observed/);
  const missing = await run(['check', join(dir, 'missing.vmlt')]);
  assert.equal(missing.code, 2);
});

test('its help says that all faults are followed unless told otherwise', async () => {
  const { code, stdout } = await run(['check', '--help']);
  assert.equal(code, 0);
  assert.match(stdout.replace(/\s+/g, ' '), /--scope <scope> .*default: "all"/);
});
