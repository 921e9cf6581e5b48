// SPDX-License-Identifier: MIT
/** The process as its surroundings see it: signals, closed pipes, exit codes, the words on stderr. */
import { constants } from 'node:os';
import { asUserError, ExitCode, errorCode, formatUserError, UserError } from '../../src/errors.js';

export const PROGRAM = 'vmalocktop';

/** Words go to stderr, one line each, named: data alone goes to stdout. */
export function say(text: string): void {
  process.stderr.write(`${PROGRAM}: ${text}\n`);
}

/** Prints an error the way its kind deserves and returns the exit code it stands for. */
export function report(error: unknown): number {
  const known = asUserError(error);
  if (known === null) {
    say(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return ExitCode.Finding;
  }
  say(formatUserError(known));
  return known.exitCode;
}

function onStdoutError(error: Error): void {
  if (errorCode(error) === 'EPIPE') process.exit(process.exitCode ?? ExitCode.Ok);
  process.exit(report(new UserError('cannot write to standard output', error.message, '', ExitCode.Usage)));
}

/**
 * A closed pipe (`vmalocktop stat --json x | head -1`) is the reader's choice and no failure: what remains is not written.
 * On any other error of stdout the process ends with exit code 2.
 */
export function guardStandardStreams(): void {
  process.stdout.on('error', onStdoutError);
  // Nobody is left to be told.
  process.stderr.on('error', () => {});
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
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

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

/** 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP: what a shell reports for a process that died of it. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
