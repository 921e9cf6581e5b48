// SPDX-License-Identifier: MIT
/** A process that sends rounds as a stream on its standard output, and says what it sent. */
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { type Paced, type Rounds, writePaced } from '../core/paced.js';

/** What was sent, and what one round of it holds: rounds have nothing to do with each other. */
export interface Sent extends Paced {
  readonly round: Pick<Snapshot, 'counts' | 'events' | 'lifecycles' | 'retry' | 'abort' | 'swap'>;
}

function ofOneRound(rounds: Rounds, session: SessionInfo): Sent['round'] {
  const pipeline = new Pipeline(session);
  for (const batch of rounds.next()) pipeline.push(batch);
  const { counts, events, lifecycles, retry, abort, swap } = pipeline.snapshot();
  return { counts, events, lifecycles, retry, abort, swap };
}

/**
 * Sends rounds for `seconds`, or until something comes on standard input, at `rate` rows a second. One line of JSON on
 * standard error when the End row is out; then it keeps the pipe open, so that what took the stream can still be asked,
 * until its standard input ends.
 */
export async function send(make: () => Rounds, session: SessionInfo, rate: number, seconds: number): Promise<void> {
  let stopped = false;
  const stop = (): void => {
    stopped = true;
  };
  const ended = new Promise<void>((resolve) => process.stdin.once('end', resolve));
  process.stdin.once('data', stop).once('end', stop);
  const round = ofOneRound(make(), session);
  const writer = await createRecordingWriter(session, streamSink(process.stdout, 'standard output'));
  const sent: Sent = { ...(await writePaced(make(), writer, rate, seconds, () => stopped)), round };
  process.stderr.write(`${JSON.stringify(sent)}\n`);
  await ended;
  process.exit(0);
}
