// SPDX-License-Identifier: MIT
/**
 * What lies before a recording that does not begin at the session's begin: a later part of a rotated one, what a flight
 * recorder kept, or a slice. Counters are cumulative over the session and lifecycles do not end where a part does, so
 * a reader of such a recording alone has to know what is not in it.
 */
import { type EventBatch, isOfNoFault } from '../../core/events/batch.js';
import { CounterGroup, pushCounter, UserArgs, UserKind } from '../../core/events/user-rows.js';

/** As it stands in the metadata of a part. */
export interface BaselineState {
  /** ns since the session's base: the newest row before. */
  readonly time: number;
  /** Kernel rows before: [kind, rows]. */
  readonly rows: readonly (readonly [kind: number, rows: number])[];
  /** Counters as they stood last. */
  readonly counters: readonly (readonly [group: number, index: number, value: number])[];
  /** The newest lifecycle that was seen of each CPU. */
  readonly faults: readonly (readonly [cpu: number, fault: number])[];
}

const TWO_32 = 2 ** 32;

export class Baseline {
  time = 0;
  readonly rows: Float64Array = new Float64Array(256);
  /** By group * 2^32 + index. */
  readonly #counters: Map<number, number> = new Map();
  /** By CPU; absent: none was seen. */
  readonly #faults: (number | undefined)[] = [];

  constructor(state: BaselineState | null = null) {
    if (state === null) return;
    this.time = state.time;
    for (const [kind, rows] of state.rows) this.rows[kind] = rows;
    for (const [group, index, value] of state.counters) this.#counters.set(group * TWO_32 + index, value);
    for (const [cpu, fault] of state.faults) this.#faults[cpu] = fault;
  }

  state(): BaselineState {
    const faults: [number, number][] = [];
    this.#faults.forEach((fault, cpu) => {
      if (fault !== undefined) faults.push([cpu, fault]);
    });
    return {
      time: this.time,
      rows: [...this.rows].map((rows, kind) => [kind, rows] as const).filter(([, rows]) => rows > 0),
      counters: [...this.#counters].map(([key, value]) => [Math.floor(key / TWO_32), key % TWO_32, value]),
      faults,
    };
  }

  /** Counts rows `from` to `to` as lying before. */
  add(batch: EventBatch, from: number, to: number): void {
    const { kind, time, fault, faultCpu } = batch;
    for (let i = from; i < to; i++) {
      const k = kind[i] as number;
      const at = time[i] as number;
      if (at > this.time) this.time = at;
      if (k < UserKind.Counter) {
        (this.rows[k] as number)++;
        if (!isOfNoFault(k)) this.#opened(faultCpu[i] as number, fault[i] as number);
      } else if (k === UserKind.Counter) {
        this.#counters.set(
          (batch[UserArgs.Counter.group][i] as number) * TWO_32 + (batch[UserArgs.Counter.index][i] as number),
          batch[UserArgs.Counter.value][i] as number,
        );
      }
    }
  }

  /** Takes over what came later. */
  merge(later: Baseline): void {
    this.time = Math.max(this.time, later.time);
    later.rows.forEach((rows, kind) => {
      this.rows[kind] = (this.rows[kind] as number) + rows;
    });
    for (const [key, value] of later.#counters) this.#counters.set(key, value);
    later.#faults.forEach((fault, cpu) => {
      if (fault !== undefined) this.#opened(cpu, fault);
    });
  }

  /** Whether this lifecycle began before. Numbers run up on each CPU, and begin again after 2^32. */
  isBefore(cpu: number, fault: number): boolean {
    const newest = this.#faults[cpu];
    return newest !== undefined && ((fault - newest) | 0) <= 0;
  }

  /** What a cumulative counter would be, had the session begun here. */
  rest(group: number, index: number, value: number): number {
    const before = this.counter(group, index);
    // The counters were sampled some time before the cut, the rows counted up to it: of the rows meant for the ring,
    // those before the cut are the ones seen and the ones known to be lost.
    if (group === CounterGroup.Emitted)
      return Math.max(0, value - (this.rows[index] ?? 0) - this.counter(CounterGroup.Dropped, index));
    return isGauge(group, index) ? value : Math.max(0, value - before);
  }

  counter(group: number, index: number): number {
    return this.#counters.get(group * TWO_32 + index) ?? 0;
  }

  /**
   * Appends what the kernel meant for the ring up to now: what was seen of it and what is known to be lost. The counters
   * themselves were sampled some time ago, and say less.
   */
  writeFinalCounters(batch: EventBatch, time: number): void {
    this.rows.forEach((rows, kind) => {
      const emitted = rows + this.counter(CounterGroup.Dropped, kind);
      if (kind < UserKind.Counter && rows > 0) pushCounter(batch, time, CounterGroup.Emitted, kind, emitted);
    });
  }

  /** [group, index, value] of those that are no sums, as they stood. */
  *gauges(): Generator<readonly [group: number, index: number, value: number]> {
    for (const [key, value] of this.#counters) {
      const [group, index] = [Math.floor(key / TWO_32), key % TWO_32];
      if (isGauge(group, index)) yield [group, index, value];
    }
  }

  #opened(cpu: number, fault: number): void {
    const newest = this.#faults[cpu];
    if (newest === undefined || ((fault - newest) | 0) > 0) this.#faults[cpu] = fault;
  }
}

/** Memory and ring in use: what was so before is no part of a sum. */
function isGauge(group: number, index: number): boolean {
  return group === CounterGroup.Self && index >= 2;
}
