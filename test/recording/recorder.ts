// SPDX-License-Identifier: MIT
/**
 * A recorder for tests that kill it or take its disk: `recorder.js PATH|- [MAX-SIZE]`. Rows come every few ms and carry the
 * time at which they came (ns since the start); a line on stderr says how far it is. Ends after a minute.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createBatch } from '../../src/core/events/batch.js';
import { pushRow } from '../../src/core/events/user-rows.js';
import { errorLines, UserError } from '../../src/errors.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink, streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { SESSION } from './support.js';

const [path = '-', maxSize] = process.argv.slice(2);
const writer =
  maxSize !== undefined
    ? await createRotatingWriter(SESSION, path, { maxBytes: Number(maxSize), keep: 1000 })
    : await createRecordingWriter(
        SESSION,
        path === '-' ? streamSink(process.stdout, 'the pipe') : await fileSink(path),
      );
const began = performance.now();
const now = (): number => Math.round((performance.now() - began) * 1e6);
let failure: unknown = null;
const flusher = setInterval(() => void writer.flush().catch(() => {}), 500);
process.stderr.write('0\n');
try {
  for (let n = 0; now() < 60e9; n++) {
    const batch = createBatch(300, ['']);
    // Values nothing can compress: the disk fills, and messages are large enough to be cut.
    for (let i = 0; i < 300; i++) pushRow(batch, 128, now(), n, i, Math.floor(Math.random() * 2 ** 40));
    await writer.write(batch);
    process.stderr.write(`${now()}\n`);
    await sleep(3);
  }
} catch (error) {
  failure = error;
}
clearInterval(flusher);
await writer.end().catch((error: unknown) => {
  failure ??= error;
});
if (failure instanceof UserError) process.stderr.write(`${errorLines(failure).join('\n')}\n`);
process.exit(failure instanceof UserError ? 2 : 3);
