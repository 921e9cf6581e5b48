// SPDX-License-Identifier: MIT
/** A program in a real pseudo-terminal, below a shell that shows the terminal's modes before and after it. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import xterm from '@xterm/headless';
import { patience } from '../pace.js';
import { spawnWhole } from './whole-output.js';

export interface Run {
  /** For `after` of a test: what still runs when it failed would keep its process from ending. */
  readonly end: () => void;
  /** Everything that was written. */
  output(): string;
  /** What the screen shows now. */
  screen(): Promise<string>;
  write(text: string): void;
  resize(columns: number, rows: number): void;
  /** Waits for something in all that was written. */
  until(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Waits until the screen shows it. */
  shows(pattern: RegExp): Promise<void>;
  /** Waits for the program's end; checks that modes, screen and cursor are as before, and the exit code. */
  restored(code: number): Promise<void>;
}

const TURN_MS = 50;
const BEFORE = 'what stood here before';

export interface RunOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
}

/** Runs a script of ours. `PID` in the output is its process. */
export function run(script: string, options: RunOptions = {}): Run {
  const { args = [], env = {}, columns = 100, rows = 30, cwd } = options;
  const words = [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ');
  const shell = `echo ${BEFORE}; stty -a; sh -c 'echo PID $$; exec "$@"' sh ${words}; echo CODE $?; stty -a; echo END`;
  const { pty, exit } = spawnWhole(['/bin/bash', '-c', shell], {
    cols: columns,
    rows,
    name: env.TERM ?? 'xterm-256color',
    // Nothing is kept, and nothing of ours is found: it is no folder.
    env: { ...(process.env as Record<string, string>), XDG_CONFIG_HOME: '/dev/null', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1000 });
  let text = '';
  pty.onData((chunk) => {
    text += chunk;
    terminal.write(chunk);
  });
  const screen = async (): Promise<string> => {
    await new Promise<void>((resolve) => terminal.write('', resolve));
    const { active } = terminal.buffer;
    const lines = Array.from({ length: terminal.rows }, (_, y) =>
      active.getLine(active.baseY + y)?.translateToString(true),
    );
    return lines.join('\n');
  };
  const poll = async <T>(what: string, ask: () => Promise<T | null> | T | null): Promise<T> => {
    for (let waited = 0; waited < patience(3000); waited += TURN_MS) {
      const answer = await ask();
      if (answer !== null) return answer;
      await delay(TURN_MS);
    }
    assert.fail(`never saw ${what} in\n${await screen()}`);
  };
  const until = (pattern: RegExp): Promise<RegExpMatchArray> => poll(String(pattern), () => text.match(pattern));
  return {
    output: () => text,
    screen,
    write: (keys) => pty.write(keys),
    end: () => pty.kill('SIGKILL'),
    resize: (c, r) => {
      pty.resize(c, r);
      terminal.resize(c, r);
    },
    until,
    async shows(pattern) {
      await poll(String(pattern), async () => (pattern.test(await screen()) ? true : null));
    },
    async restored(code) {
      await until(/\bEND\b/);
      await exit;
      const [before, after] = modes(text);
      assert.equal(after, before);
      for (const [on, off] of SWITCHES) {
        assert.ok(text.includes(on), `${JSON.stringify(on)} was used`);
        assert.ok(text.lastIndexOf(off) > text.lastIndexOf(on), `${JSON.stringify(off)} comes last`);
      }
      assert.match(text, new RegExp(`CODE ${code}\\b`));
      await screen();
      assert.equal(terminal.buffer.active.type, 'normal');
      const { active } = terminal.buffer;
      const all = Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true)).join(
        '\n',
      );
      assert.ok(all.includes(BEFORE), 'the main screen is as it was');
    },
  };
}

/** The alternate screen, the cursor, mouse reports: on and off. */
const SWITCHES = [
  ['\x1b[?1049h', '\x1b[?1049l'],
  ['\x1b[?25l', '\x1b[?25h'],
  ['\x1b[?1000h', '\x1b[?1000l'],
  ['\x1b[?1006h', '\x1b[?1006l'],
] as const;

/** The two reports of `stty -a`, before and after. Their sizes and lines differ where the terminal was resized meanwhile. */
function modes(output: string): [string, string] {
  const found = output.match(/speed \d+ baud[\s\S]*?-extproc|speed \d+ baud[\s\S]*?echoke[^\r\n]*/g) ?? [];
  assert.equal(found.length, 2, `two reports of stty in ${JSON.stringify(output.slice(-600))}`);
  const bare = (report: string | undefined): string =>
    (report ?? '').replace(/rows \d+; columns \d+;/, '').replace(/\s+/g, ' ');
  return [bare(found[0]), bare(found[1])];
}
