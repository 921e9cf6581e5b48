// SPDX-License-Identifier: MIT
/** Runs the program of an `exec` action: no shell, the event on its standard input, an end in any case. */
import { spawn } from 'node:child_process';
import { ordinaryVictim } from '../live/resident.js';
import type { ExecAction } from './actions.js';
import { beginRun, endRun } from './strays.js';

/** Of what the program says on stderr, this much is kept for the log. */
const STDERR_BYTES = 2048;

/** Its environment: what it needs besides it gets as arguments or from its own configuration. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** Resolves to null when it ended with 0, otherwise to what went wrong, in words. `stop` kills it. `more`: variables beside the usual ones. */
export function runExec(
  action: ExecAction,
  input: string,
  stop: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<string | null> {
  const [program, ...args] = action.argv;
  return new Promise((resolve) => {
    if (stop.aborted) return resolve('given up: ending');
    const run = beginRun();
    // Detached: it leads a session and a process group of its own, so that what it started can be distinguished from what is ours.
    // With a uid or gid, libuv empties the supplementary groups before it changes them (uv_spawn).
    const child = spawn(program, args, {
      cwd: '/',
      detached: true,
      env: { ...ENVIRONMENT, ...more, ...run.environment },
      stdio: ['pipe', 'ignore', 'pipe'],
      ...(action.gid === null ? {} : { gid: action.gid }),
      ...(action.uid === null ? {} : { uid: action.uid }),
    });
    if (child.pid !== undefined) ordinaryVictim(child.pid);
    run.pid = child.pid;
    let said = '';
    let why: string | null = null;
    const kill = (reason: string): void => {
      why ??= reason;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // ESRCH: it ended meanwhile.
      }
    };
    const timer = setTimeout(() => kill(`killed after ${action.timeoutMs / 1000} s`), action.timeoutMs);
    const onStop = (): void => kill('killed: ending');
    stop.addEventListener('abort', onStop);
    const done = (result: string | null): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
      void endRun(run).then((left) =>
        resolve(left === 0 ? result : `${result ?? 'exit code 0'}; ${left} processes it left do not end`),
      );
    };
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < STDERR_BYTES) said += chunk.toString('utf8').slice(0, STDERR_BYTES - said.length);
    });
    // A program that does not read its input is nobody's error.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('error', (error) => done(`cannot be run: ${error.message}`));
    // Not `close`: a grandchild may keep stderr open for ever.
    child.on('exit', (code, signal) => {
      // What it left behind in its group is not to go on.
      if (why === null) kill('');
      child.stderr.destroy();
      if (why !== null && why !== '') return done(why);
      if (code === 0) return done(null);
      const words = said.trim() === '' ? '' : `: ${said.trim()}`;
      done(`${code === null ? `ended by ${signal}` : `exit code ${code}`}${words}`);
    });
  });
}
