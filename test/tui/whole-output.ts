// SPDX-License-Identifier: MIT
/**
 * A program in a pseudo-terminal, all of whose output is read. node-pty closes its side 200 ms after the end of what it
 * started, read or not; so that is a shell, which stays until it is told that the program's end was read.
 */
import { readFileSync } from 'node:fs';
import { type IPty, type IPtyForkOptions, spawn } from '@lydell/node-pty';

export interface WholeOutput {
  /** Of the shell. */
  readonly pty: IPty;
  /** What the program wrote until now. */
  seen(): string;
  /** The program's process. */
  pid(): number;
  /** Its exit status, as a shell has it: 128 and the signal's number where one ended it. */
  readonly exit: Promise<number>;
  /** `wake` is called whenever there is more to see. */
  onMore(wake: () => void): void;
}

const SHELL = '"$@"; printf "\\036%d\\036" $?; read -r _';
// biome-ignore lint/suspicious/noControlCharactersInRegex: no program of ours writes it
const ENDED = /\x1e(\d+)\x1e/;

export function spawnWhole(argv: readonly string[], options: IPtyForkOptions): WholeOutput {
  const pty = spawn('/bin/sh', ['-c', SHELL, 'sh', ...argv], options);
  let text = '';
  let wake = (): void => {};
  const exit = new Promise<number>((resolve, reject) => {
    pty.onData((chunk) => {
      text += chunk;
      const [, code] = ENDED.exec(text) ?? [];
      if (code !== undefined) {
        resolve(Number(code));
        pty.write('\n');
      }
      wake();
    });
    pty.onExit(() => reject(new Error(`it was ended in\n${text}`)));
  });
  exit.catch(() => {}); // who waits for it is told
  return {
    pty,
    seen: () => text.split('\x1e', 1)[0] ?? '',
    pid: () => Number(readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`, 'utf8').trim()),
    exit,
    onMore: (call) => {
      wake = call;
    },
  };
}
