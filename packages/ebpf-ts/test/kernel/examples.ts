// SPDX-License-Identifier: MIT
/** The six examples, as processes of their own, in a guest. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { file, run } from './support.js';

/** Runs an example for `seconds` while `work` is done again and again; its lines, split at tabs. */
async function example(name: string, args: readonly string[], work: () => void): Promise<string[][]> {
  const child = spawn(process.execPath, [file(`../examples/${name}.js`), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  let running = true;
  const exit = once(child, 'close').then(([code]) => {
    running = false;
    return code;
  });
  while (running) {
    work();
    await sleep(20);
  }
  assert.equal(await exit, 0, out);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

describe('examples', () => {
  it('counter', async () => {
    const rows = await example('counter', ['2'], () => readFileSync('/proc/self/stat'));
    const own = rows.find(([tgid]) => tgid === String(process.pid));
    const all = Number(rows.at(-1)?.[1]);
    assert.ok(Number(own?.[1]) > 10, rows.join('\n'));
    assert.ok(all >= rows.slice(0, -1).reduce((sum, [, n]) => sum + Number(n), 0));
  });

  it('exec snoop', async () => {
    const rows = await example('execsnoop', ['2'], () => run('exec /bin/true'));
    const seen = rows.filter(([, comm, path]) => comm === 'true' && path === '/bin/true');
    assert.ok(seen.length > 0 && seen.every(([pid]) => Number(pid) > 1), rows.join('\n'));
  });

  it('latency histogram', async () => {
    const rows = await example('readlatency', ['2'], () => readFileSync('/proc/self/stat'));
    assert.ok(
      rows.length > 0 &&
        rows.every(([slot, n, bar]) => /^\d+ ns$/.test(slot ?? '') && Number(n) > 0 && /^\**$/.test(bar ?? '')),
      rows.join('\n'),
    );
  });

  it('uprobe on libc', async () => {
    const rows = await example('getenv', ['2'], () => run('exec ls / >/dev/null'));
    assert.ok(Number(rows.find(([comm]) => comm === 'ls')?.[1]) > 0, rows.join('\n'));
  });

  it('cgroup egress', async () => {
    const cgroup = '/sys/fs/cgroup/egress-test';
    mkdirSync(cgroup, { recursive: true });
    let sent = 0;
    const rows = await example('egress', [cgroup, '2'], () => {
      run(`echo $$ > ${cgroup}/cgroup.procs; for i in 1 2 3; do echo -n 12345 > /dev/udp/127.0.0.1/9; done`);
      sent += 3;
    });
    rmdirSync(cgroup);
    const [, packets, bytes] = /^(\d+) packets, (\d+) bytes$/.exec(rows[0]?.[0] ?? '') ?? [];
    // Some were sent before it was attached, none while it was not; a datagram is 20 + 8 + 5 bytes, an ICMP answer goes in.
    assert.ok(Number(packets) > 0 && Number(packets) <= sent, `${rows}, ${sent} sent`);
    assert.equal(Number(bytes), 33 * Number(packets));
  });

  it('iterator over tasks', async () => {
    const rows = await example('tasks', [], () => {});
    assert.ok(
      rows.some(([tgid, pid]) => tgid === '1' && pid === '1'),
      rows.join('\n'),
    );
    assert.ok(rows.some(([tgid]) => tgid === String(process.pid)));
    assert.ok(rows.length >= readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length - 5);
  });
});
