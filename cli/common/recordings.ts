// SPDX-License-Identifier: MIT
/** Recordings read one behind the other by a command that ends when all are read, or a signal came. */
import type { Source } from '../../src/core/events/source.js';
import { truncation } from './feed.js';
import { openRecorded, type RecordedOptions } from './open.js';
import { onStopSignal, type StopWatch, say, signalExitCode } from './process.js';

export class Recordings {
  readonly #watch: StopWatch;
  #open: Source | null = null;
  #stopping = false;

  constructor() {
    this.#watch = onStopSignal((signal) => {
      this.#stopping = true;
      // There is nothing to clean up, and a pipe may stay silent for ever.
      if (this.#open === null) process.exit(signalExitCode(signal));
      this.#open.close().catch((error: unknown) => say(String(error)));
    });
  }

  /** A signal came: what is under way ends, and means nothing. */
  readonly stopped = (): boolean => this.#stopping;

  /** Opens the recording, closed when `use` has settled. Rejects with a `UserError` when it cannot be read or is none. */
  async read<T>(file: string, options: RecordedOptions, use: (source: Source) => Promise<T>): Promise<T> {
    const source = await openRecorded(file, { progress: true, ...options });
    this.#open = source;
    try {
      return await use(source);
    } finally {
      this.#open = null;
      await source.close();
    }
  }

  /** Why it ends early, in words; null for a whole one, and for one that a signal cut short. */
  truncated(source: Source): string | null {
    return this.#stopping ? null : truncation(source);
  }

  /** What stands for the signal that came; null for none. */
  get signalCode(): number | null {
    return this.#watch.signal === null ? null : signalExitCode(this.#watch.signal);
  }

  /** When all is written: until then, a second signal ends the process at once. */
  dispose(): void {
    this.#watch.dispose();
  }
}
