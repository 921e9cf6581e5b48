// SPDX-License-Identifier: MIT
/** The counters that travel in user-side rows, as they stood last. All are cumulative, so the latest row holds. */
import { VlCounter, VlHistNames, VlKindNames } from '../../schema/events.gen.js';
import type { SessionInfo } from '../events/session.js';
import { CounterGroup } from '../events/user-rows.js';
import { VMSTAT_LINES } from './outcomes.js';
import type { Snapshot } from './snapshot.js';

const KINDS = 128;
const HIST_BUCKETS = 64;

const OUTCOME_COUNTERS: readonly number[] = [
  VlCounter.VMA_OK,
  VlCounter.VMA_RETRY,
  VlCounter.VMA_COMPLETED,
  VlCounter.ABORT,
  VlCounter.VMA_ERROR,
  VlCounter.KERNEL,
];

export class Counters {
  readonly kernel: Float64Array = new Float64Array(KINDS);
  readonly emitted: Float64Array = new Float64Array(KINDS);
  readonly dropped: Float64Array = new Float64Array(KINDS);
  readonly decoded: Float64Array = new Float64Array(KINDS);
  readonly hist: Float64Array = new Float64Array(VlHistNames.length * HIST_BUCKETS);
  readonly self: Float64Array = new Float64Array(4);
  readonly vmstat: Float64Array = new Float64Array(2 * VMSTAT_LINES.length).fill(Number.NaN);
  readonly #missed: Float64Array;
  readonly #runCount: Float64Array;
  readonly #runTime: Float64Array;
  readonly #session: SessionInfo;
  readonly #groups: readonly Float64Array[];

  constructor(session: SessionInfo) {
    this.#session = session;
    const programs = session.programs.length;
    this.#missed = new Float64Array(programs);
    this.#runCount = new Float64Array(programs);
    this.#runTime = new Float64Array(programs);
    const groups: Float64Array[] = [];
    groups[CounterGroup.Kernel] = this.kernel;
    groups[CounterGroup.Emitted] = this.emitted;
    groups[CounterGroup.Dropped] = this.dropped;
    groups[CounterGroup.Hist] = this.hist;
    groups[CounterGroup.Missed] = this.#missed;
    groups[CounterGroup.RunCount] = this.#runCount;
    groups[CounterGroup.RunTime] = this.#runTime;
    groups[CounterGroup.Self] = this.self;
    groups[CounterGroup.Vmstat] = this.vmstat;
    this.#groups = groups;
  }

  /** One `UserKind.Counter` row. Groups and indices of a later version are passed over. */
  set(group: number, index: number, value: number): void {
    const counters = this.#groups[group];
    if (counters !== undefined && index < counters.length) counters[index] = value;
  }

  /** In the order of `OUTCOMES` (timeline.ts). */
  outcomes(): readonly number[] {
    return OUTCOME_COUNTERS.map((counter) => this.kernel[counter] ?? 0);
  }

  /**
   * The kernel's count of what it emitted is read now and then. What was decoded or dropped since was emitted nevertheless:
   * until the session has `ended`, and the count with it, the larger of the two holds. Neither goes back.
   */
  events(ended: boolean): Omit<Snapshot['events'], 'stateLost'> {
    const perKind: Record<string, { emitted: number; decoded: number; dropped: number }> = {};
    let emittedAtLeast = false;
    let allEmitted = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const counted = this.emitted[kind] ?? 0;
      const decoded = this.decoded[kind] ?? 0;
      const dropped = this.dropped[kind] ?? 0;
      const older = !ended && decoded + dropped > counted;
      const row = { emitted: older ? decoded + dropped : counted, decoded, dropped };
      emittedAtLeast ||= older;
      allEmitted += row.emitted;
      if (row.emitted + row.decoded + row.dropped > 0) perKind[VlKindNames[kind] ?? `kind ${kind}`] = row;
    }
    return {
      emitted: allEmitted,
      emittedAtLeast,
      decoded: sum(this.decoded),
      dropped: sum(this.dropped),
      missed: sum(this.#missed),
      perKind,
    };
  }

  kernelHist(): Snapshot['kernelHist'] {
    const bucketsOf = (i: number): number[] => [...this.hist.subarray(i * HIST_BUCKETS, (i + 1) * HIST_BUCKETS)];
    return Object.fromEntries(VlHistNames.map((name, i) => [name, bucketsOf(i)]));
  }

  overhead(): Snapshot['overhead'] {
    return {
      programs: this.#session.programs.map(({ name, target, method }, i) => ({
        name,
        target,
        method,
        missed: this.#missed[i] ?? 0,
        runCount: this.#runCount[i] ?? 0,
        runTimeNs: this.#runTime[i] ?? 0,
      })),
      measuredNs: this.self[0] ?? 0,
      selfCpuNs: this.self[1] ?? 0,
      selfRssBytes: this.self[2] ?? 0,
    };
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
