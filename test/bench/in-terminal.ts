// SPDX-License-Identifier: MIT
/** A program in a pseudo-terminal, and what it says there. */
import { type IPty, spawn } from '@lydell/node-pty';

export const COLUMNS = 160;
export const ROWS = 45;

export interface InTerminal {
  readonly pty: IPty;
  /** The end of what it wrote, for who has to say why it failed. */
  said(): string;
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** Settles when a frame with figures is there, or it has ended. */
  readonly drawn: Promise<void>;
}

export function inTerminal(command: string, args: readonly string[], cwd: string = process.cwd()): InTerminal {
  const env = process.env as Record<string, string>;
  const pty = spawn(command, [...args], { cols: COLUMNS, rows: ROWS, name: 'xterm-256color', cwd, env });
  const ended = new Promise<void>((resolve) => pty.onExit(() => resolve()));
  let said = '';
  const drawn = new Promise<void>((resolve) => {
    pty.onData((chunk) => {
      const text = said + chunk;
      if (/decoded/.test(text)) resolve();
      said = text.slice(-2000);
    });
    void ended.then(resolve);
  });
  return { pty, said: () => said, ended, drawn };
}
