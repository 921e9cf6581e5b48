// SPDX-License-Identifier: MIT
/** A session as a live source gives it: faults that overlap on two CPUs, names, counters four times a second, an end. */
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, pushCounter, pushEnd, pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { SWAP_RETRY } from '../core/swap-retry.js';

/** Time zero is Sunday, 2026-03-01, 12:00:00 UTC. */
export const LIVE_SESSION: SessionInfo = syntheticSession({
  scope: 'swap',
  clocks: [{ time: 0, realtimeNs: '1772366400000000000' }],
});

export const STEPS_PER_FAULT: number = SWAP_RETRY.length;
/** From one step to the next. */
const STEP_NS = 400e3;
/** From one fault of a CPU to its next: the steps of several are among each other. */
const FAULT_NS = 1e6;
const SAMPLE_NS = 250e6;
const CPUS = 2;

interface Row {
  readonly time: number;
  readonly cpu: number;
  readonly fault: number;
  readonly step: number;
}

export interface LiveOptions {
  readonly seconds: number;
  /** Every so many faults one loses a step to a full ring; 0: none. */
  readonly dropEvery?: number;
}

function rowsOf({ seconds }: LiveOptions): Row[] {
  const rows: Row[] = [];
  for (let cpu = 0; cpu < CPUS; cpu++)
    for (let fault = 0; fault * FAULT_NS < seconds * 1e9; fault++)
      for (let step = 0; step < SWAP_RETRY.length; step++)
        rows.push({ time: fault * FAULT_NS + step * STEP_NS + cpu * 1000, cpu, fault, step });
  return rows.sort((x, y) => x.time - y.time);
}

/** Yields batches of its own making, one after the other in the same memory, as a source does. */
export function* liveSession(options: LiveOptions): Generator<EventBatch> {
  const strings = ['', 'waiter'];
  const batch = createBatch(1024, strings);
  const { dropEvery = 0 } = options;
  const emitted = new Float64Array(64);
  const dropped = new Float64Array(64);
  let faults = 0;
  let sampled = 0;
  const named = (kind: number, time: number, a: number, b: number, name: string, value: number): void => {
    batch.comm[batch.length] = strings.push(name) - 1;
    pushRow(batch, kind, time, a, b, value);
  };
  const sample = (time: number): void => {
    for (let kind = 0; kind < 64; kind++) {
      if ((emitted[kind] as number) > 0) pushCounter(batch, time, CounterGroup.Emitted, kind, emitted[kind] as number);
      if ((dropped[kind] as number) > 0) pushCounter(batch, time, CounterGroup.Dropped, kind, dropped[kind] as number);
    }
    pushCounter(batch, time, CounterGroup.Kernel, VlCounter.VMA_RETRY, faults);
    pushCounter(batch, time, CounterGroup.Self, 2, 1e6);
  };
  named(UserKind.SwapDevice, 0, 0, 0, '/dev/zram0', 1);
  named(UserKind.Cgroup, 0, 0, 0, '/system.slice/db.service\tdb.service', 77);
  for (const row of rowsOf(options)) {
    if (row.time >= sampled + SAMPLE_NS) {
      if (batch.length > 0) yield batch;
      clearBatch(batch);
      sampled = row.time - (row.time % SAMPLE_NS);
      named(UserKind.Frame, sampled, 1, 0, `inner${sampled}`, 1);
      named(UserKind.Frame, sampled, 1, 1, 'outer', 1);
      sample(sampled);
      yield batch;
      clearBatch(batch);
    }
    const [kind, a, b] = SWAP_RETRY[row.step] as (typeof SWAP_RETRY)[number];
    emitted[kind] = (emitted[kind] as number) + 1;
    if (row.step === 0) faults++;
    if (dropEvery > 0 && row.step === 4 && row.fault % dropEvery === dropEvery - 1) {
      dropped[kind] = (dropped[kind] as number) + 1;
      continue;
    }
    const i = batch.length++;
    batch.kind[i] = kind;
    batch.flags[i] = row.step === 0 ? VlStepFlag.INFO : kind === VlKind.HMF_EXIT ? VlStepFlag.REGS : 0;
    batch.cpu[i] = row.cpu;
    batch.tid[i] = 1000 + row.cpu * 100 + (row.fault % 16);
    batch.fault[i] = row.fault;
    batch.faultCpu[i] = row.cpu;
    batch.step[i] = row.step;
    batch.time[i] = row.time;
    batch.a[i] = a;
    batch.b[i] = b;
    if (row.step === 0) {
      batch.tgid[i] = 1000;
      batch.comm[i] = 1;
      batch.mm[i] = 0x1000;
      batch.address[i] = 0x7f0000000000 + 4096 * (row.fault % 64);
      batch.cgroup[i] = 77;
    }
    if (batch.length < 1024) continue;
    yield batch;
    clearBatch(batch);
  }
  if (batch.length > 0) yield batch;
  clearBatch(batch);
  const end = options.seconds * 1e9 + SWAP_RETRY.length * STEP_NS;
  sample(end);
  pushEnd(batch, end);
  yield batch;
}
