// SPDX-License-Identifier: MIT
/** The process as its surroundings see it: signals, closed pipes, exit codes, the words on stderr. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type CleanText, textOf } from '../../src/core/present/clean.js';
import { asUserError, ExitCode, errorCode, errorLines, fileError, UserError } from '../../src/errors.js';

export const PROGRAM = 'vmalocktop';

/** Words go to stderr, one line each, the first one named: data alone goes to stdout. */
export function say(text: string, ...more: readonly string[]): void {
  process.stderr.write(textOf([`${PROGRAM}: ${text}`, ...more]));
}

let verbose = false;

/** From now on what the kernel said of a program it refused goes to stderr, whole. */
export function beVerbose(): void {
  verbose = true;
}

/** Prints it, where that was asked for. */
export function sayRefusal(program: string, log: string): void {
  if (verbose && log !== '') say(`${program} is refused:`, ...log.split('\n'));
}

/** libbpf's and the verifier's words, which an error that came of a refused program carries in its causes. */
function logOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'log' in error && typeof error.log === 'string' && error.log !== '' ? error.log : logOf(error.cause);
}

/** Prints an error the way its kind deserves and returns the exit code it stands for. */
export function report(error: unknown): number {
  const known = asUserError(error);
  if (known === null) {
    const [first = '', ...stack] = (error instanceof Error ? (error.stack ?? error.message) : String(error)).split(
      '\n',
    );
    say(`internal error: ${first}`, ...stack);
    return ExitCode.Internal;
  }
  if (verbose && logOf(known) !== '') say('log before the failure:', ...logOf(known).split('\n'));
  say(...errorLines(known));
  return known.exitCode;
}

function onStdoutError(error: Error): void {
  if (errorCode(error) === 'EPIPE') process.exit(process.exitCode ?? ExitCode.Ok);
  process.exit(report(fileError('cannot write to standard output', error)));
}

/**
 * A closed pipe (`vmalocktop stat --json x | head -1`) is the reader's choice and no failure: what remains is not written.
 * On any other error of stdout the process ends with exit code 2.
 */
export function guardStandardStreams(): void {
  process.stdout.on('error', onStdoutError);
  // Nobody is left to read a message.
  process.stderr.on('error', () => {});
}

/** What nobody caught is a defect of ours: said, with a stack, and ended with its own exit code. */
export function guardDefects(): void {
  // An unhandled rejection arrives here as well. The terminal was given back before (uncaughtExceptionMonitor).
  process.on('uncaughtException', (error) => process.exit(report(error)));
}

/** Node's own answer to SIGUSR1 is a debugger that listens on a port: not in a program that runs as root. */
export function guardDebugger(): void {
  process.on('SIGUSR1', () => {});
}

/** For a command that writes a recording to stdout and answers its errors itself: it has counters to close first. */
export function unguardStdout(): void {
  process.stdout.off('error', onStdoutError);
}

/** Writes to stdout and waits until it is out: process.exit must not cut a pipe short. */
export function print(text: CleanText): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';
const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

export interface StopWatch {
  /** The first signal that came; null while none did. */
  readonly signal: StopSignal | null;
  dispose(): void;
}

/** Calls `stop` once at the first signal; a second one ends the process at once, for when flushing hangs. */
export function onStopSignal(stop: (signal: StopSignal) => void): StopWatch {
  let first: StopSignal | null = null;
  const listener = (name: NodeJS.Signals): void => {
    const signal = STOP_SIGNALS.find((known) => known === name);
    if (signal === undefined) return;
    if (first !== null) process.exit(signalExitCode(signal));
    first = signal;
    stop(signal);
  };
  for (const name of STOP_SIGNALS) process.on(name, listener);
  return {
    get signal(): StopSignal | null {
      return first;
    },
    dispose(): void {
      for (const name of STOP_SIGNALS) process.off(name, listener);
    },
  };
}

/** 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP, 131 for SIGQUIT: what a shell reports for a process that died of it. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Words are bytes (execve(2)), and Node makes text of them: what is no UTF-8 would name another file than was meant.
 * Throws a `UserError`.
 */
export function refuseMangled(argv: readonly string[]): void {
  if (!argv.some((word) => word.includes('\ufffd'))) return;
  let given: Buffer;
  try {
    given = readFileSync('/proc/self/cmdline');
  } catch {
    return;
  }
  if (isUtf8(given)) return;
  const word = argv.find((it) => it.includes('\ufffd')) ?? '';
  throw new UserError(
    'cannot read the command line',
    `${word} is not UTF-8`,
    'let the shell open the file (info - < FILE, export … -o - > FILE), or give it another name',
    ExitCode.Usage,
  );
}
