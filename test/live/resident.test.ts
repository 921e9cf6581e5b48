// SPDX-License-Identifier: MIT
/** Staying in memory: what is locked, that V8 works with it, and that what is not permitted is reported. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { innermostPid } from '../../src/live/namespaces.js';
import type { OwnChild } from '../../src/live/own-children.js';
import { mappedFiles, ordinaryVictim, type Residency } from '../../src/live/resident.js';

test('mapped files: private ones of a file system, and nothing else', () => {
  const maps = `00400000-00d32000 r--p 00000000 fe:00 262145                     /usr/local/bin/node
00d32000-00d33000 rw-p 00932000 fe:00 262145                     /usr/local/bin/node
00d33000-00e00000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r--s 00000000 fe:00 262146             /var/cache/a shared one
7f0000001000-7f0000003000 r-xp 00001000 fe:00 262147             /opt/a b/koffi.node (deleted)
7f0000003000-7f0000004000 rw-p 00000000 00:05 12                 /dev/zero
7f0000004000-7f0000005000 rw-s 00000000 00:0e 13                 anon_inode:bpf-map
7f0000005000-7f0000006000 rw-p 00000000 00:00 0 
`;
  assert.deepEqual(mappedFiles(maps), [
    { start: 0x400000n, length: 0x932000n },
    { start: 0xd32000n, length: 0x1000n },
    { start: 0x7f0000001000n, length: 0x2000n },
  ]);
  assert.ok(mappedFiles(readFileSync('/proc/self/maps', 'utf8')).length > 10);
});

const CHILD = `
  const { stayResident } = await import(${JSON.stringify(new URL('../../src/live/resident.js', import.meta.url).href)});
  const { readFileSync } = await import('node:fs');
  const residency = stayResident();
  // Fragmented, then compacted: V8 gives pages back, and aborts where it cannot.
  let kept = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 200_000; i++) kept.push({ i, text: 'x' + i });
    kept = kept.filter((_, i) => i % 97 === 0);
    gc();
    gc();
  }
  const locked = Number(/^VmLck:\\s+(\\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  console.log(JSON.stringify({ residency, locked, oom: Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) }));
`;

test('a process that stays resident has its program locked, or says why not, and its collector goes on', () => {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', CHILD],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, `${signal} ${stderr}`);
  const said = JSON.parse(stdout) as { residency: Residency; locked: number; oom: number };
  const { residency } = said;
  assert.equal(said.locked, residency.lockedBytes);
  assert.equal(said.oom, residency.oomScoreAdj);
  assert.equal(residency.oomWhy === null, said.oom < 0, JSON.stringify(residency));
  if (residency.unlocked === null) assert.ok(said.locked > 20 * 2 ** 20, `${said.locked} bytes: less than node is`);
  else assert.match(residency.unlocked, /^lock memory: /);
});

test('a program we start is an ordinary victim again', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  try {
    const file = `/proc/${child.pid}/oom_score_adj`;
    writeFileSync(file, '321');
    ordinaryVictim(child.pid ?? 0);
    assert.equal(readFileSync(file, 'utf8').trim(), '0');
  } finally {
    child.kill('SIGKILL');
  }
  ordinaryVictim(2 ** 30);
});

const BELOW = ['--pid', '--fork'];
const skip = spawnSync('unshare', [...BELOW, 'true']).status !== 0 && 'no PID namespace can be made here';

test('below the PID namespace of /proc a program we start is looked for there', { skip }, () => {
  const script = `
    import { spawn } from 'node:child_process';
    import { readFileSync, writeFileSync } from 'node:fs';
    import { ordinaryVictim } from '${import.meta.resolve('../../src/live/resident.js')}';
    import { ownChildren } from '${import.meta.resolve('../../src/live/own-children.js')}';
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const [own] = ownChildren();
    const oom = () => readFileSync(own.directory + '/oom_score_adj', 'utf8').trim();
    writeFileSync(own.directory + '/oom_score_adj', '321');
    ordinaryVictim(child.pid);
    console.log(JSON.stringify({ spawned: child.pid, own, oom: oom() }));
    child.kill('SIGKILL');`;
  const argv = [...BELOW, process.execPath, '--input-type=module', '-e', script];
  const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const said = JSON.parse(stdout) as { spawned: number; own: OwnChild; oom: string };
  assert.equal(said.own.pid, said.spawned);
  assert.notEqual(said.own.directory, `/proc/${said.spawned}`, 'its number there is another');
  assert.equal(said.oom, '0');
});

test('the innermost number of a process', () => {
  assert.equal(innermostPid('Name:\tnode\nPid:\t150\nNSpid:\t150\t5\n'), 5);
  assert.equal(innermostPid('Name:\tnode\nPid:\t150\nNSpid:\t150\n'), 150);
  assert.equal(innermostPid('Name:\tnode\nPid:\t150\n'), 150, 'built without CONFIG_PID_NS');
  assert.equal(innermostPid(''), null);
});
