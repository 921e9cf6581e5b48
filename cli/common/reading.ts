// SPDX-License-Identifier: MIT
/** How far a recording is read, on a terminal: one line of stderr, written over itself, gone when all is read. */
import { basename } from 'node:path';
import { cleanLine } from '../../src/core/present/clean.js';
import { formatDuration } from '../../src/core/present/format.js';

/** What is read in less needs no word. */
const QUIET_MS = 500;
const EVERY_MS = 200;

/** `reading trace.vmlt: 43%, 12.0 s left`; without a time while too little is read to estimate it. */
export function readingText(name: string, done: number, total: number, elapsedMs: number): string {
  const share = Math.min(1, done / total);
  const left = elapsedMs * (1 / share - 1) * 1e6;
  const time = share > 0.01 && Number.isFinite(left) ? `, ${formatDuration(left)} left` : '';
  return `reading ${cleanLine(name)}: ${Math.floor(100 * share)}%${time}`;
}

export interface Reading {
  /** Bytes read so far, of how many. */
  read(done: number, total: number): void;
  /** Takes the line away; what is written to stderr next stands on a line of its own. */
  end(): void;
}

/** Does nothing where stderr is no terminal. */
export function readingLine(path: string, stderr: NodeJS.WriteStream = process.stderr): Reading {
  if (!stderr.isTTY) return { read: () => {}, end: () => {} };
  const started = performance.now();
  let due = started + QUIET_MS;
  let shown = false;
  return {
    read(done, total) {
      const now = performance.now();
      if (now < due || total <= 0) return;
      due = now + EVERY_MS;
      shown = true;
      // Where the terminal is narrower than the line, it must not wrap: the next one could not be written over it.
      const text = readingText(basename(path), done, total, now - started).slice(
        0,
        Math.max(1, (stderr.columns || 80) - 1),
      );
      stderr.write(`\r\x1b[K${text}`);
    },
    end() {
      if (shown) stderr.write('\r\x1b[K');
      shown = false;
      due = Number.POSITIVE_INFINITY;
    },
  };
}
