// SPDX-License-Identifier: MIT
/** The first process of a pid namespace: node as-init.js DIRECTORY. Runs an action that leaves processes behind, and reports what became of each. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runExec } from '../../src/actions/exec.js';
import { reapAsInit } from '../../src/actions/strays.js';
import { COMMON } from './event.js';

const [directory = ''] = process.argv.slice(2);
const read = (name: string): string => readFileSync(`${directory}/${name}`, 'utf8').trim();
const state = (pid: number): string =>
  existsSync(`/proc/${pid}/stat`) ? (readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? '?') : 'gone';

reapAsInit();
writeFileSync(`${directory}/ready`, '');
// Somebody enters the container, and leaves a process that goes on.
while (!existsSync(`${directory}/entered`)) await sleep(20);
const stranger = Number(read('stranger'));
const script = `setsid sh -c 'echo $$ > ${directory}/left; exec sleep 300' & while [ ! -s ${directory}/left ]; do sleep 0.05; done`;
const failure = await runExec(
  { type: 'exec', ...COMMON, argv: ['/bin/sh', '-c', script], timeoutMs: 60_000, uid: null, gid: null },
  '',
  new AbortController().signal,
);
const after = { stranger: state(stranger), left: state(Number(read('left'))) };
process.kill(stranger, 'SIGKILL');
for (let i = 0; i < 500 && state(stranger) !== 'gone'; i++) await sleep(20);
process.stdout.write(JSON.stringify({ pid: process.pid, failure, after, killed: state(stranger) }));
