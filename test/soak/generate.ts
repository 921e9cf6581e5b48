// SPDX-License-Identifier: MIT
/**
 * Writes the soak's stream to standard output: generate SECONDS RATE FAULTS THREADS. One line of JSON on standard error
 * when the End row is out; then it keeps the pipe open, so that what took the stream can still be asked, until its
 * standard input ends.
 */
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { Endless, type EndlessOptions } from '../core/endless.js';
import { type Paced, writePaced } from '../core/paced.js';
import { syntheticSession } from '../core/session.js';

/** What was sent, and what one round of it holds: rounds have nothing to do with each other. */
export interface Sent extends Paced {
  readonly round: Pick<Snapshot, 'counts' | 'events' | 'lifecycles' | 'retry' | 'abort'>;
}

function ofOneRound(options: EndlessOptions): Sent['round'] {
  const pipeline = new Pipeline(syntheticSession());
  for (const batch of new Endless(options).next()) pipeline.push(batch);
  const { counts, events, lifecycles, retry, abort } = pipeline.snapshot();
  return { counts, events, lifecycles, retry, abort };
}

const [seconds = 0, rate = 0, faults = 0, threads = 0] = process.argv.slice(2).map(Number);
const options: EndlessOptions = { faults, threads, rate, churn: true, unfinished: true, dropRate: 0.002 };
const round = ofOneRound(options);
const writer = await createRecordingWriter(syntheticSession(), streamSink(process.stdout, 'standard output'));
const sent: Sent = { ...(await writePaced(new Endless(options), writer, rate, seconds)), round };
process.stderr.write(`${JSON.stringify(sent)}\n`);
process.stdin.resume().once('end', () => process.exit(0));
