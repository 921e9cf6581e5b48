// SPDX-License-Identifier: MIT
/** From a source into a sink, whatever happens on the way. */
import { NODE_CLOCK } from '../../src/clock.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { type DriveOptions, type DriveResult, drive } from '../../src/core/events/drive.js';
import type { Source } from '../../src/core/events/source.js';

export interface Sink {
  /** With a promise: the next batch comes when it settles. */
  push(batch: EventBatch): void | Promise<void>;
}

/** Pushes every batch of `source` into `sink`. Never throws, neither for what the source does nor for the sink. */
export async function feed(source: Source, sink: Sink, options: DriveOptions = {}): Promise<DriveResult> {
  try {
    return await drive(source, (batch) => sink.push(batch), NODE_CLOCK, options);
  } catch (error) {
    return { error };
  }
}

/** Why a recording ends early, in words; null for a whole one and for live sources. */
export function truncation(source: Source): string | null {
  return 'truncated' in source && typeof source.truncated === 'string' ? source.truncated : null;
}
