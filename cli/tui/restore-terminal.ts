// SPDX-License-Identifier: MIT
/**
 * Sees to it that no way out leaves the terminal in raw mode or on the alternate screen: an exit, a signal,
 * an exception, a stop. SIGKILL and SIGSTOP cannot be seen; after SIGSTOP, SIGCONT sets things right.
 */
export type QuitSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

export interface Guarded {
  /** Gives the terminal back for good; synchronous, may be called again. */
  restore(): void;
  /** After `restore`, for a signal that asks to end. */
  quit(signal: QuitSignal): void;
  suspend(): void;
  resume(): void;
}

const ENDING: readonly QuitSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Installs the handlers. The function returned removes them. */
export function guardTerminal(guarded: Guarded): () => void {
  const end = (signal: NodeJS.Signals): void => {
    guarded.restore();
    guarded.quit(signal as QuitSignal);
  };
  const stop = (): void => {
    guarded.suspend();
    // The default action is what really stops us, and only when nobody listens.
    process.removeListener('SIGTSTP', stop);
    process.kill(process.pid, 'SIGTSTP');
  };
  const go = (): void => {
    if (!process.listeners('SIGTSTP').includes(stop)) process.on('SIGTSTP', stop);
    guarded.resume();
  };
  const restore = (): void => guarded.restore();
  for (const signal of ENDING) process.on(signal, end);
  process.on('SIGTSTP', stop);
  process.on('SIGCONT', go);
  process.on('exit', restore);
  // A monitor: it restores the terminal and leaves the error to its handler, or to Node, which prints it.
  process.on('uncaughtExceptionMonitor', restore);
  return () => {
    for (const signal of ENDING) process.removeListener(signal, end);
    process.removeListener('SIGTSTP', stop);
    process.removeListener('SIGCONT', go);
    process.removeListener('exit', restore);
    process.removeListener('uncaughtExceptionMonitor', restore);
  };
}
