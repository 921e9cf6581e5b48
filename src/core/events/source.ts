// SPDX-License-Identifier: MIT
import type { EventBatch } from './batch.js';
import type { SessionInfo } from './session.js';

/**
 * Where batches come from: the ring buffer, a recording, a byte stream. Nothing downstream knows which it has.
 *
 * `batches()` may be iterated once. Each batch is valid until the next is asked for. It ends when the source has
 * no more (end of file, or after `close()`); it throws a `UserError` when the source is damaged, after it has
 * yielded every batch before the damage.
 */
export interface Source {
  readonly session: SessionInfo;
  batches(): AsyncIterable<EventBatch>;
  /** Ends the source. A live source drains the ring and yields what is left, with final counters and an End row, first. */
  close(): Promise<void>;
}
