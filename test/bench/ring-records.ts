// SPDX-License-Identifier: MIT
/** Rows of the kernel side as they lay in its ring. */
import { type EventBatch, isOfNoFault } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { VlStepFlag } from '../../src/schema/events.gen.js';
import { encodeOpen, encodeStep, encodeWriter, type Open, type Step, type Writer } from '../live/records.js';

/** BPF_RINGBUF_HDR_SZ. */
export const HEADER_WORDS = 2;

/** Records one behind the other, headers included; all of them are multiples of eight bytes. */
export interface Records {
  readonly words: Uint32Array;
  /** Where each record's header is, and where the last record ends. */
  readonly at: Uint32Array;
  readonly kinds: Uint8Array;
  /** From `acquired` to its time, ns; NaN where that is not known. */
  readonly held: Float64Array;
  /** One more than the highest number of a fault. */
  readonly faults: number;
}

export function encodeRows(batches: readonly EventBatch[]): Records {
  const records: Uint8Array[] = [];
  const kinds: number[] = [];
  const held: number[] = [];
  let faults = 0;
  for (const batch of batches)
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      if (kind >= UserKind.Counter) continue;
      kinds.push(kind);
      held.push((batch.time[i] as number) - (batch.acquired[i] as number));
      records.push(encodeRow(batch, i));
      faults = Math.max(faults, 1 + (batch.fault[i] as number));
    }
  const at = new Uint32Array(records.length + 1);
  records.forEach((record, n) => {
    at[n + 1] = (at[n] as number) + HEADER_WORDS + record.length / 4;
  });
  const words = new Uint32Array(at[records.length] as number);
  records.forEach((record, n) => {
    const from = at[n] as number;
    words[from] = record.length;
    words.set(new Uint32Array(record.buffer, record.byteOffset, record.length / 4), from + HEADER_WORDS);
  });
  return { words, at, kinds: Uint8Array.from(kinds), held: Float64Array.from(held), faults };
}

function encodeRow(batch: EventBatch, i: number): Uint8Array {
  const of = (name: 'kind'): number => batch[name][i] as number;
  const numbers = <K extends string>(...names: K[]): Record<K, number> =>
    Object.fromEntries(names.map((name) => [name, of(name as 'kind')])) as Record<K, number>;
  const bigs = <K extends string>(...names: K[]): Record<K, bigint> =>
    Object.fromEntries(names.map((name) => [name, BigInt(of(name as 'kind'))])) as Record<K, bigint>;
  const text = (index: number | undefined): Uint8Array => Buffer.from(batch.strings[index ?? 0] ?? '');
  const step: Step = {
    ...numbers('kind', 'flags', 'cpu', 'tid', 'fault', 'faultCpu', 'step', 'a', 'b'),
    ts: 0n,
  };
  if (!(step.flags & VlStepFlag.INFO)) return encodeStep(step);
  const who = { ...step, ...bigs('mm', 'vmaStart', 'vmaEnd', 'cgroup'), comm: text(batch.comm[i]), acquired: 0n };
  if (!isOfNoFault(step.kind))
    return encodeOpen({ ...who, ...numbers('tgid', 'depth'), ...bigs('address', 'vmFlags', 'pte') } satisfies Open);
  return encodeWriter({
    ...who,
    ...numbers('tgid', 'kernelStack', 'userStack', 'forkThreads', 'forkVmas', 'forkLocked', 'prio', 'holderPrio'),
    ...bigs('forkWait'),
    file: text(batch.file[i]),
  } satisfies Writer);
}
