// SPDX-License-Identifier: MIT
/** How a command we started comes to its end: asked, then killed, then left to itself. Nobody waits for it for ever. */
import type { ChildProcess } from 'node:child_process';
import { errorCode } from '../../src/errors.js';

/** Between two steps: what a command may take to put its things in order. */
const GRACE_MS = 5000;

export type EndSignal = 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

export class ChildEnd {
  readonly #child: ChildProcess;
  readonly #leave: (why: string) => void;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | null = null;
  #asked = false;

  /** `leave`: called when it will not end, with what keeps it, in words. */
  constructor(child: ChildProcess, leave: (why: string) => void, graceMs: number = GRACE_MS) {
    this.#child = child;
    this.#leave = leave;
    this.#graceMs = graceMs;
    child.once('exit', () => this.#stop());
    child.once('error', () => this.#stop());
  }

  /** Passes `signal` on. To be called again for each signal that comes; the steps are gone once. */
  begin(signal: EndSignal = 'SIGTERM'): void {
    const refused = this.#send(signal);
    // One that is stopped takes a signal when it goes on, and not before.
    this.#send('SIGCONT');
    if (this.#asked || this.#ended) return;
    this.#asked = true;
    if (refused !== null) {
      this.#leave(refused);
      return;
    }
    this.#timer = setTimeout(() => this.#kill(), this.#graceMs);
  }

  #kill(): void {
    if (this.#ended) return;
    this.#send('SIGKILL');
    // In D state (uninterruptible) not even that is taken.
    this.#timer = setTimeout(() => {
      if (!this.#ended) this.#leave('it does not take SIGKILL: it waits in the kernel');
    }, this.#graceMs);
  }

  get #ended(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  /** null when it was sent or there is nobody; else why not. */
  #send(signal: NodeJS.Signals): string | null {
    const { pid } = this.#child;
    if (pid === undefined || this.#ended) return null;
    try {
      process.kill(pid, signal);
      return null;
    } catch (error) {
      return errorCode(error) === 'EPERM' ? 'it runs as another user, and we may not signal it' : null;
    }
  }

  #stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
