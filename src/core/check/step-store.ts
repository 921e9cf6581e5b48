// SPDX-License-Identifier: MIT
/**
 * Steps of lifecycles while they are collected: numbers in one piece of memory, 32 bytes each. As objects, whose numbers V8 boxes
 * where they are no small integers, they took 110, and those of thousands of tasks are held.
 */

export interface Step {
  /** `enum vl_kind` */
  readonly kind: number;
  /** `enum vl_step_flag` */
  readonly flags: number;
  /** ns since the session's base. Evidence sent late carries the time of what it reports: order is that of the array. */
  readonly time: number;
  readonly a: number;
  readonly b: number;
}

/** One that is used over and over. */
export class StepRecord implements Step {
  kind = 0;
  flags = 0;
  time = 0;
  a = 0;
  b = 0;
}

/** Steps of a chunk: most lifecycles take one or two. */
const STEPS = 8;
/** Kind and flags in one, time, a, b. */
const WIDTH = 4;
const CHUNK = STEPS * WIDTH;
const FLAGS = 256;

/** Where somebody's steps are. */
export interface Steps {
  /** Numbers of chunks, in order. */
  readonly chunks: number[];
  count: number;
}

export class StepStore {
  #data: Float64Array = new Float64Array(64 * CHUNK);
  /** Chunks that were ever used, and of those the ones that are not now. */
  #made = 0;
  readonly #free: number[] = [];

  /** Bytes of what is held. */
  get bytes(): number {
    return (this.#made - this.#free.length) * CHUNK * Float64Array.BYTES_PER_ELEMENT;
  }

  add(steps: Steps, kind: number, flags: number, time: number, a: number, b: number): void {
    const { chunks } = steps;
    const at = steps.count++;
    const inChunk = at % STEPS;
    if (inChunk === 0) chunks.push(this.#free.pop() ?? this.#make());
    const data = this.#data;
    let i = (chunks[chunks.length - 1] as number) * CHUNK + inChunk * WIDTH;
    data[i++] = kind * FLAGS + flags;
    data[i++] = time;
    data[i++] = a;
    data[i] = b;
  }

  /** Nobody reads these any more. */
  letGo(steps: Steps): void {
    for (let i = 0; i < steps.chunks.length; i++) this.#free.push(steps.chunks[i] as number);
    steps.chunks.length = 0;
    steps.count = 0;
  }

  /** Into the first of these records; more are made where there are too few. */
  read({ chunks, count }: Steps, records: StepRecord[]): void {
    const data = this.#data;
    for (let at = 0; at < count; at++) {
      if (at === records.length) records.push(new StepRecord());
      const record = records[at] as StepRecord;
      let i = (chunks[(at / STEPS) | 0] as number) * CHUNK + (at % STEPS) * WIDTH;
      const first = data[i++] as number;
      record.kind = (first / FLAGS) | 0;
      record.flags = first % FLAGS;
      record.time = data[i++] as number;
      record.a = data[i++] as number;
      record.b = data[i] as number;
    }
  }

  #make(): number {
    if ((this.#made + 1) * CHUNK > this.#data.length) {
      const data = new Float64Array(this.#data.length * 2);
      data.set(this.#data);
      this.#data = data;
    }
    return this.#made++;
  }
}
