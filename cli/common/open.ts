// SPDX-License-Identifier: MIT
/** Makes the source a command line asks for. Each maker is loaded only when it is wanted: start-up stays short. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Source } from '../../src/core/events/source.js';
import { ExitCode, errorCode, UserError } from '../../src/errors.js';
import type { LiveSource } from '../../src/live/options.js';
import { refuseInputs } from '../../src/output/inputs.js';
import { cgroupFilters } from './cgroup-options.js';
import { ChildEnd } from './child-end.js';
import type { LiveCliOptions, TimeRangeCliOptions } from './options.js';
import { type StopSignal, sayRefusal } from './process.js';
import { readingLine } from './reading.js';

export type { LiveSource };

/**
 * Throws a `UserError` with exit code 3 where this host cannot be observed. `follow`: only what `spawnWindow` starts.
 * `outputs`: files that are written once privileges were dropped.
 */
export async function openLiveSource(
  options: LiveCliOptions,
  follow: boolean,
  stats: boolean,
  outputs: readonly string[],
): Promise<LiveSource> {
  const { planStandDown } = await import('../../src/privileges/stand-in.js');
  const userStacks = options.stacks?.includes('user') ?? false;
  const standDown = planStandDown({ outputs, command: follow, userStacks });
  const { openLive } = await import('../../src/live/open.js');
  return openLive({
    scope: options.scope,
    release: options.release,
    pids: [...options.pid],
    tids: [...options.tid],
    ...(options.comm === undefined ? {} : { comm: options.comm }),
    cgroups: cgroupFilters(options),
    minUs: options.minUs,
    ringBytes: options.ringSize,
    follow,
    stats,
    writers: options.writers,
    writerMinUs: options.writerMinUs,
    holdMinUs: options.holdMinUs,
    stacks: {
      kernel: options.stacks?.includes('kernel') ?? false,
      user: userStacks,
    },
    lock: options.lock,
    hostRoot: options.hostRoot,
    without: options.without,
    standDown,
    onRefused: sayRefusal,
  });
}

export interface RecordedOptions extends TimeRangeCliOptions {
  /** At the end of a file, wait for more; a stream is read as it comes in any case. */
  readonly follow?: boolean;
  /** Say on a terminal how far it is read: where nothing else is drawn meanwhile. */
  readonly progress?: boolean;
}

/** A recording by path (the name of a rotated one stands for its parts), or the stream on stdin for `-`. */
export async function openRecorded(file: string, options: RecordedOptions = {}): Promise<Source> {
  const source = await openWhole(file, options);
  if (options.from === undefined && options.to === undefined) return source;
  const { sliceSource } = await import('../../src/recording/read/slice.js');
  const { timeRangeOf } = await import('../../src/recording/read/when.js');
  try {
    const { withClocks } = await import('../../src/recording/read/clocks.js');
    const session = await withClocks(source.session, file, [options.from, options.to]);
    return sliceSource(source, timeRangeOf(session, options.from, options.to));
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openWhole(file: string, options: RecordedOptions): Promise<Source> {
  const follow = options.follow === true;
  if (file === '-') {
    if (process.stdin.isTTY) {
      throw new UserError(
        'cannot read a recording from standard input',
        'it is a terminal',
        'pipe one in: ssh HOST sudo vmalocktop record -o - | vmalocktop replay -',
        ExitCode.Usage,
      );
    }
    await refuseInputs('-', [file]);
    const { openStream } = await import('../../src/recording/read/stream.js');
    return openStream(process.stdin);
  }
  await refuseInputs('-', [file]);
  const { openFile } = await import('../../src/recording/read/file.js');
  const line = options.progress === true ? readingLine(file) : null;
  return openFile(file, {
    follow,
    ...(line !== null && { onRead: (done, total) => line.read(done, total), onDone: () => line.end() }),
  });
}

export interface Child {
  readonly argv: readonly string[];
  readonly process: ChildProcess;
  readonly end: ChildEnd;
  /** Settles when the command ended, or is left to itself; rejects with a `UserError` when it could not be started. */
  readonly done: Promise<CommandResult>;
}

export interface CommandResult {
  readonly argv: readonly string[];
  /** null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** It goes on: why it could not be ended, in words. */
  readonly left?: string;
}

/** Starts the command inside the window in which forks are followed. Its standard streams are ours. */
export function startCommand(source: LiveSource, argv: readonly string[]): Child {
  const [file = '', ...args] = argv;
  const child = source.spawnWindow(() => spawn(file, args, { stdio: 'inherit' }));
  let leave = (_why: string): void => {};
  const done = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', (error) => reject(startError(file, error)));
    child.once('close', (exitCode, signal) => resolve({ argv, exitCode, signal }));
    leave = (left) => resolve({ argv, exitCode: null, signal: null, left });
  });
  // Code that awaits `done` later still sees the rejection; Node must not call it unhandled meanwhile.
  done.catch(() => {});
  return { argv, process: child, end: new ChildEnd(child, (why) => leave(why)), done };
}

/**
 * What a stop signal means: without a command, the session ends. With one, its end ends us: the terminal sends SIGINT to
 * the command as well as to us, while other signals come to us alone and are passed on.
 */
export function forwardOrStop(signal: StopSignal, child: Child | null, stop: () => void): void {
  if (child === null) stop();
  else if (signal !== 'SIGINT') child.end.begin(signal);
}

/** The time is up: the session ends, and so does the command, as under `perf stat --timeout`. */
export function stopAll(child: Child | null, stop: () => void): void {
  stop();
  child?.end.begin();
}

function startError(file: string, error: Error): UserError {
  const code = errorCode(error);
  const why = code === 'ENOENT' ? 'no such command' : code === 'EACCES' ? 'not executable' : error.message;
  return new UserError(`cannot run ${file}`, why, 'check the command after --', ExitCode.Usage, { cause: error });
}

/** `exit 0`, `killed by SIGSEGV`, `left running: …` */
export function describeResult(result: CommandResult): string {
  if (result.left !== undefined) return `left running: ${result.left}`;
  return result.signal === null ? `exit ${result.exitCode}` : `killed by ${result.signal}`;
}

/** Commands that read two recordings: standard input can bring but one. Throws `UserError`. */
export function refuseTwoStreams(files: readonly string[]): void {
  if (files.filter((file) => file === '-').length < 2) return;
  throw new UserError(
    'cannot read the command line',
    'standard input can bring one recording, not two',
    'name files for the others',
    ExitCode.Usage,
  );
}
