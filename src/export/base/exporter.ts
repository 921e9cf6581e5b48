// SPDX-License-Identifier: MIT
/** What every format does with a recording: batches and lifecycles in, bytes out, nothing kept for long. */
import type { EventBatch } from '../../core/events/batch.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Losses } from './losses.js';

export interface Exporter {
  /** Rows made so far. */
  readonly rows: number;
  /** A batch, before the lifecycles it ends. It is not the exporter's to keep. */
  batch(batch: EventBatch): void;
  /** A lifecycle that is over, or at the end of the recording in flight. */
  lifecycle(lifecycle: Lifecycle): void;
  /** Writes what has gathered, as far as the format allows. Called after each batch. */
  drain(): Promise<void>;
  /** Writes the rest. `time`: that of the newest row, ns since the session began. */
  finish(losses: Losses, time: number): Promise<void>;
}
