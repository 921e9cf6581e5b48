// SPDX-License-Identifier: MIT
/** Sessions, batches and byte plumbing for the tests of recordings. */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { UserError } from '../../src/errors.js';
import { COLUMNS } from '../../src/recording/format/columns.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import type { RecordingSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';

export const SESSION: SessionInfo = {
  v: 1,
  tool: 'vmalocktop 0.1.0',
  host: 'höst-日本',
  kernel: '6.12.0',
  arch: 'x86_64',
  bootId: '7f3c',
  commandLine: ['vmalocktop', 'record'],
  cpus: 2,
  baseNs: '18446744073709551615',
  clocks: [{ time: 0, realtimeNs: '1700000000000000000' }],
  scope: 'swap',
  release: 'derived',
  minUs: 0,
  filters: { comm: 'swappy' },
  programs: [{ name: 'hmf_exit', target: 'handle_mm_fault', method: 'fexit' }],
  hooks: [{ target: 'lock_vma_under_rcu', attached: false, note: 'not traceable' }],
  ringBytes: 1 << 20,
  enums: { faultFlags: { FAULT_FLAG_VMA_LOCK: 4096 }, faultReasons: { VM_FAULT_RETRY: 1024 } },
  preemption: 'voluntary',
  layout: 'abc',
};

/** One row with every column, the name in full. */
export type Row = { readonly [K in (typeof COLUMNS)[number]['key']]: number | bigint | string };

export function rowsOf(batch: EventBatch): Row[] {
  return Array.from({ length: batch.length }, (_, i) =>
    Object.fromEntries(
      COLUMNS.map(({ key, type }) => [key, type === 'utf8' ? batch.strings[batch[key][i] as number] : batch[key][i]]),
    ),
  ) as unknown as Row[];
}

export function batchOf(rows: readonly Row[], strings: string[] = ['']): EventBatch {
  const batch = createBatch(Math.max(rows.length, 1), strings);
  for (const [i, row] of rows.entries()) {
    for (const { key } of COLUMNS) {
      if (key === 'comm' || key === 'file') {
        const at = strings.indexOf(row[key] as string);
        batch[key][i] = at >= 0 ? at : strings.push(row[key] as string) - 1;
      } else {
        (batch[key] as unknown as (number | bigint | string)[])[i] = row[key];
      }
    }
  }
  batch.length = rows.length;
  return batch;
}

/** `rows` rows told apart by their time, the last of them an End row when asked. */
export function plainBatch(rows: number, start = 0, end = false): EventBatch {
  const batch = createBatch(rows, ['', 'swappy', 'kworker/u4:日本']);
  for (let i = 0; i < rows; i++) {
    batch.kind[i] = 1 + (i % 17);
    batch.time[i] = (start + i) * 1000;
    batch.tid[i] = 4000 + (i % 7);
    batch.comm[i] = i % 3;
    batch.pte[i] = BigInt(i) << 40n;
    batch.kernelStack[i] = (i % 5) - 1;
    batch.file[i] = (i + 1) % 3;
  }
  if (end) batch.kind[rows - 1] = UserKind.End;
  batch.length = rows;
  return batch;
}

export class MemorySink implements RecordingSink {
  readonly chunks: Uint8Array[] = [];
  ended = false;

  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(bytes);
  }

  async end(): Promise<void> {
    this.ended = true;
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.chunks));
  }
}

/** A whole recording of the batches; one message for each. */
export async function record(batches: readonly EventBatch[], session: SessionInfo = SESSION): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = await createRecordingWriter(session, sink);
  for (const batch of batches) {
    await writer.write(batch);
    await writer.flush();
  }
  await writer.end();
  return sink.bytes();
}

export async function* chunksOf(bytes: Uint8Array, size: number = 1_048_576): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export interface ReadResult {
  readonly session: SessionInfo | null;
  readonly batches: Row[][];
  readonly truncated: string | null;
  readonly error: UserError | null;
}

/** Reads to the end or to the first `UserError`; any other error goes through. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<ReadResult> {
  const batches: Row[][] = [];
  try {
    const source = await openRecordingBytes(chunks, 'it');
    try {
      for await (const batch of source.batches()) batches.push(rowsOf(batch));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { session: source.session, batches, truncated: source.truncated, error };
    }
    return { session: source.session, batches, truncated: source.truncated, error: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { session: null, batches, truncated: null, error };
  }
}
