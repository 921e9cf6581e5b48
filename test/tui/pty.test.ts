// SPDX-License-Identifier: MIT
/** In a real pseudo-terminal: whatever ends the dashboard, the terminal's modes and screen are as before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';

const DEMO = fileURLToPath(new URL('./demo.js', import.meta.url));

interface Run {
  output(): string;
  write(text: string): void;
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  done: Promise<number>;
}

/** A shell that shows its modes, runs the demo, and shows code and modes after it. */
function run(args = '', env: Record<string, string> = {}): Run {
  const demo = `exec ${process.execPath} ${DEMO} ${args}`;
  const script = `stty -a; sh -c 'echo PID $$; ${demo}'; echo CODE $?; stty -a; echo END`;
  const pty = spawn('/bin/bash', ['-c', script], {
    cols: 100,
    rows: 30,
    name: 'xterm-256color',
    env: { ...(process.env as Record<string, string>), TERM: 'xterm-256color', ...env },
  });
  let text = '';
  pty.onData((chunk) => {
    text += chunk;
  });
  const done = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  return {
    output: () => text,
    write: (keys) => pty.write(keys),
    done,
    async until(pattern) {
      for (let i = 0; i < 200; i++) {
        const match = text.match(pattern);
        if (match !== null) return match;
        await delay(50);
      }
      assert.fail(`never saw ${pattern} in ${JSON.stringify(text.slice(-400))}`);
    },
  };
}

/** The two `stty -a` reports, before and after. */
function modes(output: string): [string, string] {
  const found = output.match(/speed [\s\S]*?-extproc|speed [\s\S]*?echoke[^\r\n]*/g) ?? [];
  assert.equal(found.length, 2, `two reports of stty in ${JSON.stringify(output.slice(-600))}`);
  return [found[0] ?? '', found[1] ?? ''];
}

async function restored(shell: Run, code: number): Promise<void> {
  await shell.until(/END/);
  await shell.done;
  const output = shell.output();
  const [before, after] = modes(output);
  assert.equal(after, before);
  assert.ok(output.includes('\x1b[?1049h'), 'entered the alternate screen');
  assert.ok(output.lastIndexOf('\x1b[?1049l') > output.lastIndexOf('\x1b[?1049h'), 'left it');
  assert.ok(output.lastIndexOf('\x1b[?25h') > output.lastIndexOf('\x1b[?25l'), 'the cursor shows');
  assert.match(output, new RegExp(`CODE ${code}\\b`));
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} restores the terminal`, async () => {
    const shell = run();
    const pid = Number((await shell.until(/PID (\d+)/))[1]);
    await shell.until(/Processes/);
    process.kill(pid, signal);
    await restored(shell, code);
  });
}

test('q and Ctrl-C restore the terminal', async () => {
  for (const [key, code] of [
    ['q', 0],
    ['\x03', 130],
  ] as const) {
    const shell = run();
    await shell.until(/Processes/);
    shell.write(key);
    await restored(shell, code);
  }
});

test('an exception restores the terminal first and is printed after', async () => {
  const shell = run('--throw');
  await restored(shell, 1);
  const output = shell.output();
  assert.ok(output.indexOf('thrown by the demo') > output.lastIndexOf('\x1b[?1049l'));
});

test('a stop gives the terminal back, and a continue draws again', async () => {
  const shell = run();
  const pid = Number((await shell.until(/PID (\d+)/))[1]);
  await shell.until(/Processes/);
  process.kill(pid, 'SIGTSTP');
  await shell.until(/\x1b\[\?1049l/);
  const entered = (): number => shell.output().split('\x1b[?1049h').length;
  const before = entered();
  process.kill(pid, 'SIGCONT');
  for (let i = 0; i < 100 && entered() === before; i++) await delay(50);
  assert.ok(entered() > before, 'entered the alternate screen again');
  await delay(400);
  shell.write('q');
  await restored(shell, 0);
});

test('NO_COLOR: not one colour is written', async () => {
  const shell = run('', { NO_COLOR: '1' });
  await shell.until(/Processes/);
  shell.write('q');
  await restored(shell, 0);
  assert.doesNotMatch(shell.output(), /\x1b\[[\d;]*(?:38;5|48;5|3[1-7]|9[0-7])[\d;]*m/);
});
