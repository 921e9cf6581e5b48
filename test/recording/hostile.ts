// SPDX-License-Identifier: MIT
/** Real recordings with one thing in them changed: a name, a number, a field of the head. */
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { STACK_RECORDING } from '../export/support.js';

export interface Changes {
  session?(session: SessionInfo): unknown;
  /** Changes the batch in place, but for its strings, which it returns where they are others. */
  batch?(batch: EventBatch, number: number): readonly string[] | undefined;
}

/** Writes the guest's recording to `path`, changed; not more of it than its first `rows`, and its end. */
export async function writeChanged(
  path: string,
  changes: Changes,
  rows: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const source = await openFile(STACK_RECORDING);
  const session = (changes.session?.(source.session) ?? source.session) as SessionInfo;
  const writer = await createRecordingWriter(session, await fileSink(path));
  let number = 0;
  let left = rows;
  for await (const batch of source.batches()) {
    const ended = batch.kind[batch.length - 1] === UserKind.End;
    if (left <= 0 && !ended) continue;
    if (!ended) batch.length = Math.min(batch.length, left);
    left -= batch.length;
    const strings = changes.batch?.(batch, number++);
    await writer.write(strings === undefined ? batch : { ...batch, strings });
  }
  await writer.end();
}
