// SPDX-License-Identifier: MIT
/** A small recording whose content is known: swap faults that retry on a locked folio, counters, and an orderly end. */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { SWAP_RETRY } from '../core/swap-retry.js';

export const SESSION: ReturnType<typeof syntheticSession> = syntheticSession({ scope: 'swap' });

/** Batches of `faults` faults, 100 a batch, 1 ms from one to the next; the last batch holds the counters and the end. */
export function batchesOf(faults: number): readonly EventBatch[] {
  const strings = ['', 'waiter'];
  const batches: EventBatch[] = [];
  for (let fault = 0; fault < faults; fault++) {
    if (fault % 100 === 0) batches.push(createBatch(100 * SWAP_RETRY.length, strings));
    const batch = batches.at(-1);
    if (batch === undefined) throw new Error('no batch');
    for (const [step, [kind, a, b]] of SWAP_RETRY.entries()) {
      const i = batch.length++;
      batch.kind[i] = kind;
      batch.flags[i] = step === 0 ? VlStepFlag.INFO : kind === VlKind.HMF_EXIT ? VlStepFlag.REGS : 0;
      batch.tid[i] = 1000 + (fault % 8);
      batch.fault[i] = fault;
      batch.step[i] = step;
      batch.time[i] = 1e6 * fault + 1e3 * step;
      batch.a[i] = a;
      batch.b[i] = b;
      if (step > 0) continue;
      batch.tgid[i] = 1000;
      batch.comm[i] = 1;
      batch.mm[i] = 0x1000;
      batch.address[i] = 0x7f0000000000 + 4096 * (fault % 16);
    }
  }
  const last = createBatch(64, strings);
  const end = 1e6 * faults;
  const counters: readonly (readonly [number, number])[] = [
    [VlCounter.VMA_RETRY, faults],
    [VlCounter.MMAP_OK, faults],
    [VlCounter.SWAP, faults],
  ];
  for (const [counter, value] of counters) pushCounter(last, end, CounterGroup.Kernel, counter, value);
  for (const kind of new Set(SWAP_RETRY.map(([name]) => name))) {
    const each = SWAP_RETRY.filter(([name]) => name === kind).length;
    pushCounter(last, end, CounterGroup.Emitted, kind, each * faults);
  }
  pushEnd(last, end);
  batches.push(last);
  return batches;
}

export async function writeRecording(path: string, batches: readonly EventBatch[]): Promise<void> {
  const writer = await createRecordingWriter(SESSION, await fileSink(path));
  for (const batch of batches) {
    await writer.write(batch);
    // Message by message, so that a cut loses a part and not the whole.
    await writer.flush();
  }
  await writer.end();
}
