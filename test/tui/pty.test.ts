// SPDX-License-Identifier: MIT
/** In a real pseudo-terminal: whatever ends the dashboard, the terminal's modes and screen are as before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ESC } from './key-names.js';
import { type Run, run } from './pty.js';

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));
const LEFT_ALTERNATE = new RegExp(`${ESC}\\[\\?1049l`);
const A_COLOUR = new RegExp(`${ESC}\\[[\\d;]*(?:38;5|48;5|3[1-7]|9[0-7])[\\d;]*m`);
const OF_256 = new RegExp(`${ESC}\\[[\\d;]*[34]8;5;[\\d;]*m`);

async function pidOf(shell: Run): Promise<number> {
  return Number((await shell.until(/PID (\d+)/))[1]);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
] as const) {
  test(`${signal} restores the terminal`, async () => {
    const shell = run(DEMO);
    const pid = await pidOf(shell);
    await shell.shows(/Processes/);
    process.kill(pid, signal);
    await shell.restored(code);
  });
}

test('q and Ctrl-C restore the terminal', async () => {
  for (const [key, code] of [
    ['q', 0],
    ['\x03', 130],
  ] as const) {
    const shell = run(DEMO);
    await shell.shows(/Processes/);
    shell.write(key);
    await shell.restored(code);
  }
});

test('an exception restores the terminal first and is printed after', async () => {
  const shell = run(DEMO, { args: ['--throw'] });
  await shell.restored(1);
  const output = shell.output();
  assert.ok(output.indexOf('thrown by the demo') > output.lastIndexOf('\x1b[?1049l'));
});

for (const [how, stop] of [
  ['SIGTSTP', (pid: number) => process.kill(pid, 'SIGTSTP')],
  ['Ctrl-Z', (_pid: number, shell: Run) => shell.write('\x1a')],
] as const) {
  test(`${how} gives the terminal back, and SIGCONT draws again, with the mouse`, async () => {
    const shell = run(DEMO);
    const pid = await pidOf(shell);
    await shell.shows(/Processes/);
    stop(pid, shell);
    await shell.until(LEFT_ALTERNATE);
    const count = (what: string): number => shell.output().split(what).length;
    const before = count('\x1b[?1049h');
    const mouse = count('\x1b[?1000h');
    await delay(200);
    process.kill(pid, 'SIGCONT');
    for (let i = 0; i < 1000 && count('\x1b[?1049h') === before; i++) await delay(50);
    assert.ok(count('\x1b[?1049h') > before, 'entered the alternate screen again');
    await shell.shows(/Processes/);
    assert.ok(count('\x1b[?1000h') > mouse, 'asked for the mouse again');
    shell.write('q');
    await shell.restored(0);
  });
}

test('a resize storm: what is drawn in the end is right, and the terminal is restored', async () => {
  const shell = run(DEMO);
  await shell.shows(/Processes/);
  for (let i = 0; i < 40; i++) {
    shell.resize(80 + ((i * 37) % 120), 24 + ((i * 13) % 40));
    await delay(7);
  }
  shell.resize(60, 20);
  await shell.shows(/needs 80×24, this is 60×20/);
  shell.resize(120, 30);
  await shell.shows(/╭─ Faults[\s\S]*╭─ RETRY\/s[\s\S]*q quit/);
  const lines = (await shell.screen()).split('\n');
  assert.equal(lines.length, 30);
  assert.match(lines[2] ?? '', /^\[1 Overview\]/);
  shell.write('q');
  await shell.restored(0);
});

test('NO_COLOR: not one colour is written', async () => {
  const shell = run(DEMO, { env: { NO_COLOR: '1' } });
  await shell.shows(/Processes/);
  shell.write('q');
  await shell.restored(0);
  assert.doesNotMatch(shell.output(), A_COLOUR);
});

test('TERM=xterm: sixteen colours at most', async () => {
  const shell = run(DEMO, { env: { TERM: 'xterm', COLORTERM: '' } });
  await shell.shows(/Processes/);
  shell.write('q');
  await shell.restored(0);
  assert.match(shell.output(), A_COLOUR);
  assert.doesNotMatch(shell.output(), OF_256);
});
