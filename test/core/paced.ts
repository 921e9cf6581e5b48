// SPDX-License-Identifier: MIT
/** Writes a stream without end into a recording, paced by the wall clock. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { RecordingWriter } from '../../src/recording/write/writer.js';

/** Rounds that follow one another for ever (`Endless`). */
export interface Rounds {
  /** Given out so far. */
  readonly rounds: number;
  /** Length of one, ns. */
  readonly span: number;
  next(): EventBatch[];
  /** The End row. */
  end(): EventBatch;
}

export interface Paced {
  readonly rows: number;
  readonly rounds: number;
  readonly perSecond: number;
}

/**
 * Writes whole rounds for about `seconds`, or until it is `stopped`, at `rate` rows a second or as fast as they are taken, and the End row. The
 * writer stays open.
 */
export async function writePaced(
  stream: Rounds,
  writer: RecordingWriter,
  rate: number,
  seconds: number,
  stopped: () => boolean = () => false,
): Promise<Paced> {
  const begun = performance.now();
  let rows = 0;
  for (let last = false; !last; ) {
    const round = stream.next();
    // Half a round late is as far from what was asked for as half a round early.
    last =
      stopped() || Math.max(stream.span * (stream.rounds + 0.5), (performance.now() - begun) * 1e6) / 1e9 > seconds;
    for (const batch of round) {
      await writer.write(batch);
      await writer.flush();
      rows += batch.length;
      const ahead = (rows / rate) * 1000 - (performance.now() - begun);
      if (ahead > 1) await delay(ahead);
    }
  }
  await writer.write(stream.end());
  await writer.flush();
  return { rows, rounds: stream.rounds, perSecond: Math.round((rows * 1000) / (performance.now() - begun)) };
}
