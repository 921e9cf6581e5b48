// SPDX-License-Identifier: MIT
/** A time range of a recording as a source of its own: as if the session had begun at `from` and been ended at `to`. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Source } from '../../core/events/source.js';
import { pushEnd } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import { beyondTheEnd } from '../format/read-errors.js';
import { Cut, shiftSession } from './cut.js';
import { isName, NamesSoFar } from './names.js';

/** ns since the base of the source's session. */
export interface TimeRange {
  /** The first row that is not older, and all behind it, is in; 0: from the begin. */
  readonly from: number;
  /** The first row that is younger, and all behind it, is out; Infinity: to the end. */
  readonly to: number;
}

/** Counters and names of before `from` are taken into account; see `Cut`. The source is the slice's from now on. */
export function sliceSource(source: Source, range: TimeRange): Source {
  if (range.from <= 0 && range.to === Number.POSITIVE_INFINITY) return source;
  return new Slice(source, range);
}

class Slice implements Source {
  readonly session: SessionInfo;
  readonly #source: Source;
  readonly #from: number;
  readonly #to: number;
  readonly #inside: Baseline = new Baseline();

  constructor(source: Source, { from, to }: TimeRange) {
    this.#source = source;
    this.#from = Math.max(0, Math.floor(from));
    this.#to = to;
    this.session = this.#from === 0 ? source.session : shiftSession(source.session, this.#from);
  }

  /** How the recording was cut off before `to`. */
  get truncated(): string | null {
    return 'truncated' in this.#source && typeof this.#source.truncated === 'string' ? this.#source.truncated : null;
  }

  async *batches(): AsyncGenerator<EventBatch> {
    const before = new Baseline();
    const names = new NamesSoFar();
    let cut: Cut | null = null;
    for await (const batch of this.#source.batches()) {
      let first = 0;
      if (cut === null) {
        first = this.#from === 0 ? 0 : firstRow(batch, (time) => time >= this.#from);
        before.add(batch, 0, first);
        for (let i = 0; i < first; i++) if (isName(batch.kind[i] as number)) names.add(batch, i);
        if (first === batch.length) continue;
        cut = new Cut(before, this.#from);
        yield* this.#head(cut, names);
      }
      const end = firstRow(batch, (time) => time > this.#to, first);
      const over = end < batch.length;
      batch.length = end;
      if (this.#from > 0) cut.apply(batch, first);
      this.#inside.add(batch, 0, batch.length);
      if (batch.length > 0) yield batch;
      if (!over) continue;
      yield this.#end();
      await this.#source.close();
      return;
    }
    if (cut === null && this.#from > 0) throw beyondTheEnd(this.#from, before.time);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  *#head(cut: Cut, names: NamesSoFar): Generator<EventBatch> {
    if (this.#from === 0) return;
    const batch = createBatch(256, ['']);
    cut.begin(batch);
    if (batch.length > 0) yield batch;
    yield* names.batches(0, this.#from);
  }

  /** What was asked for ends here in order, whatever the recording does. */
  #end(): EventBatch {
    const batch = createBatch(256, ['']);
    this.#inside.writeFinalCounters(batch, this.#to - this.#from);
    pushEnd(batch, this.#to - this.#from);
    return batch;
  }
}

function firstRow(batch: EventBatch, found: (time: number) => boolean, from = 0): number {
  for (let i = from; i < batch.length; i++) if (found(batch.time[i] as number)) return i;
  return batch.length;
}
