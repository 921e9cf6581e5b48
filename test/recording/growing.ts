// SPDX-License-Identifier: MIT
/** A recorder for the test of pipes: a hundred rows to stdout for the start and for every byte on stdin. */
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { plainBatch, SESSION } from './support.js';

const writer = await createRecordingWriter(SESSION, streamSink(process.stdout, 'standard output'));
let sent = 0;
const more = async (): Promise<void> => {
  await writer.write(plainBatch(100, sent));
  sent += 100;
  await writer.flush();
};
await more();
for await (const chunk of process.stdin) for (const _ of chunk as Buffer) await more();
