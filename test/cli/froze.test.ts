// SPDX-License-Identifier: MIT
/** docs/who-froze-my-process.md: its commands print what the page shows. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './run.js';

const ROOT = join(import.meta.dirname, '../../..');

test('who froze my process: every line of output on the page is there, in its order', async () => {
  const page = await readFile(join(ROOT, 'docs/who-froze-my-process.md'), 'utf8');
  const blocks = [...page.matchAll(/^```console\n\$ vmalocktop ([^\n]*)\n(.*?)^```/gms)];
  assert.equal(blocks.length, 4);
  for (const [, command = '', text = ''] of blocks) {
    const argv = command.split(' ').map((word) => (word.startsWith('test/golden/') ? join(ROOT, word) : word));
    const { code, stdout } = await run(argv);
    assert.equal(code, 0, command);
    let rest = stdout;
    for (const line of text.split('\n').filter((it) => it !== '' && it.trim() !== '…')) {
      const at = rest.indexOf(`${line}\n`);
      assert.ok(at >= 0, `no line “${line}”, or not in this order`);
      rest = rest.slice(at + line.length + 1);
    }
  }
});

test('who froze my process: JSON names the reader first, and a holder of every wait of a page fault', async () => {
  const { stdout } = await run(['stat', '--json', join(ROOT, 'test/golden/blocked-6.12.vmlt')]);
  const { blockers } = JSON.parse(stdout) as {
    blockers: { faultWaits: { count: number; named: number }; rows: { what: string; tgid: number; owner: number }[] };
  };
  assert.equal(blockers.rows[0]?.what, '/proc/PID/smaps');
  assert.deepEqual([...new Set(blockers.rows.map(({ what }) => what))].sort(), [
    '/proc/PID/smaps',
    'mmap',
    'munmap',
    'page fault',
  ]);
  assert.notEqual(blockers.rows[0]?.tgid, blockers.rows[0]?.owner);
  assert.ok(blockers.faultWaits.count > 0);
  assert.equal(blockers.faultWaits.named, blockers.faultWaits.count);
});
