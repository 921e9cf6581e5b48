// SPDX-License-Identifier: MIT
/** `verdict` over recordings: the page of text, the document, the HTML page, and what is refused. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VerdictReport } from '../../src/core/verdict/report.js';
import { run } from './run.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GOLDEN = join(ROOT, 'test/golden/mixed-7.3.vmlt');
const PAGE = join(ROOT, 'docs/should-this-fault-have-retried.md');
let dir = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-verdict-'));
});
after(() => rm(dir, { recursive: true }));

test('one page that goes into a mail, and the HTML page beside it', async () => {
  const html = join(dir, 'v.html');
  const { code, stdout } = await run(['verdict', GOLDEN, '-o', html]);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.deepEqual(
    lines.filter((line) => [...line].length > 78),
    [],
  );
  assert.ok(lines.length < 110);
  for (const word of ['today', 'retry', 'keep', 'by cause', 'by process', 'assumed', 'not known'])
    assert.match(stdout, new RegExp(`^ +(?:\\* )?${word}\\b`, 'm'), word);
  const page = await readFile(html, 'utf8');
  assert.equal((await stat(html)).mode & 0o777, 0o600);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'/);
  assert.doesNotMatch(page, /<script|https?:/);
  assert.equal(page.match(/<section /g)?.length, 6);
  assert.match(page, /<caption>Saved by keep, a fault/);
});

test('the document has the figures of the page, and a recording may come on stdin', async () => {
  const [file, stream] = await Promise.all([
    run(['verdict', '--json', GOLDEN]),
    run(['verdict', '--json', '-'], { stdin: await readFile(GOLDEN) }),
  ]);
  assert.equal(file.code, 0);
  assert.equal(file.stderr, '');
  assert.equal(stream.stdout, file.stdout);
  const report = JSON.parse(file.stdout) as VerdictReport;
  assert.equal(report.v, 1);
  const { retries, under } = report.all;
  for (const { courses } of [under.retry, under.keep])
    assert.equal(
      Object.values(courses).reduce((sum, n) => sum + n, 0),
      retries,
    );
});

test('a part of a recording, the page alone on stdout, and what is refused', async () => {
  const part = await run(['verdict', '--json', '--from', '5s', '--to', '9s', GOLDEN]);
  const whole = await run(['verdict', '--json', GOLDEN]);
  const retries = ({ stdout }: { stdout: string }): number => (JSON.parse(stdout) as VerdictReport).all.retries;
  assert.ok(retries(part) > 0 && retries(part) < retries(whole));
  const page = await run(['verdict', GOLDEN, '-o', '-']);
  assert.match(page.stdout, /^<!doctype html>/);
  for (const argv of [
    ['verdict', GOLDEN, '--', 'true'],
    ['verdict', '--scope', 'all', GOLDEN],
    ['verdict', join(dir, 'missing.vmlt')],
    ['verdict', GOLDEN, '-o', GOLDEN],
  ]) {
    const { code, stderr } = await run(argv);
    assert.equal(code, 2, argv.join(' '));
    assert.match(stderr, /\n *→ /);
  }
});

test('every command of the walk says what the page says it says', async () => {
  const blocks = [...(await readFile(PAGE, 'utf8')).matchAll(/^```console\n\$ vmalocktop ([^\n]*)\n(.*?)^```/gms)];
  assert.ok(blocks.length >= 4);
  for (const [, command, text] of blocks) {
    const argv = (command ?? '').split(' ').map((word) => (word.startsWith('test/golden/') ? join(ROOT, word) : word));
    const { code, stdout } = await run(argv.map((word) => (word.endsWith('.html') ? join(dir, word) : word)));
    assert.equal(code, 0, command);
    let rest = stdout;
    for (const line of (text ?? '').split('\n').filter((l) => l !== '' && l.trim() !== '…')) {
      const at = rest.indexOf(`${line}\n`);
      assert.ok(at >= 0, `${command}: no line “${line}” there, or not in this order`);
      rest = rest.slice(at + line.length + 1);
    }
  }
});
