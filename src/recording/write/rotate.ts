// SPDX-License-Identifier: MIT
/** A recording in parts: a new file after so many bytes or so long a time, and only the newest ones kept. */
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import { UserKind } from '../../core/events/user-rows.js';
import { findParts, partPath, removeFile } from '../format/files.js';
import { History } from '../read/history.js';
import { type FsyncPolicy, fileSink } from './sink.js';
import { createRecordingWriter, type RecordingWriter } from './writer.js';

/** Of the size that was asked for: a part never has more than that and one batch. */
const MOST = 1.25;
const LATEST_MS = 1000;

export interface RotationOptions {
  /** A part is closed when it has this many bytes; it may pass that by a quarter (see `isDue`). */
  readonly maxBytes?: number;
  /** A part is closed when it is this old, or up to a second later. */
  readonly maxAgeMs?: number;
  /** Parts kept; older ones are deleted. Absent: all. */
  readonly keep?: number;
  readonly fsync?: FsyncPolicy;
  /** A clock in ms; `performance.now` by default. */
  readonly now?: () => number;
}

/**
 * Writes `faults.0001.vmlt`, `faults.0002.vmlt`, … for the path `faults.vmlt`. An earlier recording of that name goes, all
 * its parts with it. Each part opens by itself, and all of them together under that name.
 * Rejects with a `UserError` as the sink of a file does, or when an old part cannot be deleted.
 */
export async function createRotatingWriter(
  session: SessionInfo,
  path: string,
  options: RotationOptions = {},
): Promise<RecordingWriter> {
  const writer = new RotatingWriter(session, path, options);
  await writer.begin();
  // Only now: an earlier recording goes when there is another.
  const first = partPath(path, 1);
  const earlier = (await findParts(path)).map((part) => part.path).filter((part) => part !== first);
  for (const old of [path, ...earlier]) await removeFile(old);
  return writer;
}

class RotatingWriter implements RecordingWriter {
  readonly #session: SessionInfo;
  readonly #path: string;
  readonly #options: RotationOptions;
  readonly #now: () => number;
  readonly #history: History = new History();
  #part: RecordingWriter | null = null;
  #number = 0;
  #born = 0;
  /** The batch written last holds counters. */
  #sampled = false;
  /** Of the parts before. */
  #rows = 0;
  #bytes = 0;
  /** One after the other: a timer may flush while a part is changed. A failure stays. */
  #tail: Promise<void> = Promise.resolve();

  constructor(session: SessionInfo, path: string, options: RotationOptions) {
    this.#session = session;
    this.#path = path;
    this.#options = options;
    this.#now = options.now ?? ((): number => performance.now());
  }

  get rows(): number {
    return this.#rows + (this.#part?.rows ?? 0);
  }

  get bytes(): number {
    return this.#bytes + (this.#part?.bytes ?? 0);
  }

  async begin(): Promise<void> {
    const number = ++this.#number;
    const sink = await fileSink(partPath(this.#path, number), { fsync: this.#options.fsync ?? 'none' });
    const before = number === 1 ? null : this.#history.baseline.state();
    this.#part = await createRecordingWriter(this.#session, sink, {
      now: this.#now,
      part: { number, before, written: null },
    });
    this.#born = this.#now();
    if (before !== null) for (const names of this.#history.names.batches(before.time)) await this.#part.write(names);
    const { keep } = this.#options;
    if (keep !== undefined && number > keep) await removeFile(partPath(this.#path, number - keep));
  }

  write(batch: EventBatch): Promise<void> {
    return this.#queue(async (part) => {
      const into = this.#isDue(part) ? await this.#rotate(part) : part;
      await into.write(batch);
      this.#history.add(batch, 0, batch.length);
      this.#sampled = batch.kind.subarray(0, batch.length).includes(UserKind.Counter);
    });
  }

  flush(): Promise<void> {
    return this.#queue((part) => part.flush());
  }

  end(): Promise<void> {
    // The part is closed even after a failure.
    return this.#tail.then(
      () => this.#part?.end(),
      async (error: unknown) => {
        await this.#part?.end().catch(() => {});
        throw error;
      },
    );
  }

  /**
   * A part by itself counts from the counters as they stood last before it, and they are sampled four times a second:
   * the next part begins right behind a sample, unless none comes.
   */
  #isDue(part: RecordingWriter): boolean {
    const { maxBytes = Number.POSITIVE_INFINITY, maxAgeMs = Number.POSITIVE_INFINITY } = this.#options;
    const age = this.#now() - this.#born;
    if (part.bytes >= maxBytes * MOST || age >= maxAgeMs + LATEST_MS) return true;
    return this.#sampled && (part.bytes >= maxBytes || age >= maxAgeMs);
  }

  async #rotate(part: RecordingWriter): Promise<RecordingWriter> {
    await part.end();
    this.#rows += part.rows;
    this.#bytes += part.bytes;
    this.#part = null;
    await this.begin();
    if (this.#part === null) throw new Error('a part was not begun');
    return this.#part;
  }

  #queue(work: (part: RecordingWriter) => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(() => {
      if (this.#part === null) throw new Error('write after end');
      return work(this.#part);
    });
    this.#tail.catch(() => {}); // its rejection reaches those that await it
    return this.#tail;
  }
}
