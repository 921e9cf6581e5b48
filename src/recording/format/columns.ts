// SPDX-License-Identifier: MIT
/** The recording format: columns, their Arrow types, the keys of the schema's metadata. Writer and reader both stand on this table. */
import type { EventBatch } from '../../core/events/batch.js';

/** Version of the format. A reader refuses anything newer; any change of the columns raises it. */
export const FORMAT_VERSION = 2;
export const FORMAT_KEY = 'vmalocktop.format';
export const SESSION_KEY = 'vmalocktop.session';
/** Absent unless the recording is one of several parts, or a flight recorder's: JSON, `Part` of part.ts. */
export const PART_KEY = 'vmalocktop.part';

/** Rows the writer puts in one record batch at most. */
export const BATCH_ROWS = 8192;
/** Rows a reader accepts in one record batch: 15 MB of columns, far above what any writer makes. */
export const MAX_ROWS = 131_072;

export type ColumnType = 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'int32' | 'float64' | 'utf8';
export type TextKey = 'comm' | 'file';
export type FixedKey = Exclude<keyof EventBatch, 'length' | 'strings' | TextKey>;

export interface FixedColumn {
  readonly name: string;
  readonly key: FixedKey;
  readonly type: Exclude<ColumnType, 'utf8'>;
  /** Bytes per value. */
  readonly width: 1 | 2 | 4 | 8;
}
export interface TextColumn {
  readonly name: string;
  readonly key: TextKey;
  readonly type: 'utf8';
}
export type Column = FixedColumn | TextColumn;

const WIDTH = { uint8: 1, uint16: 2, uint32: 4, uint64: 8, int32: 4, float64: 8 } as const;

function fixed(name: string, key: FixedKey, type: FixedColumn['type']): FixedColumn {
  return { name, key, type, width: WIDTH[type] };
}

/** In the order they stand in the file. Times and addresses are doubles that hold integers below 2^53. */
const FORMAT_1: readonly Column[] = [
  fixed('kind', 'kind', 'uint8'),
  fixed('flags', 'flags', 'uint8'),
  fixed('cpu', 'cpu', 'uint16'),
  fixed('tid', 'tid', 'uint32'),
  fixed('fault', 'fault', 'uint32'),
  fixed('fault_cpu', 'faultCpu', 'uint16'),
  fixed('step', 'step', 'uint16'),
  fixed('time', 'time', 'float64'),
  fixed('a', 'a', 'uint32'),
  fixed('b', 'b', 'uint32'),
  fixed('tgid', 'tgid', 'uint32'),
  { name: 'comm', key: 'comm', type: 'utf8' },
  fixed('depth', 'depth', 'uint8'),
  fixed('acquired', 'acquired', 'float64'),
  fixed('mm', 'mm', 'float64'),
  fixed('address', 'address', 'float64'),
  fixed('vma_start', 'vmaStart', 'float64'),
  fixed('vma_end', 'vmaEnd', 'float64'),
  fixed('vm_flags', 'vmFlags', 'uint64'),
  fixed('pte', 'pte', 'uint64'),
  fixed('cgroup', 'cgroup', 'float64'),
  fixed('value', 'value', 'float64'),
];
export const COLUMNS: readonly Column[] = [
  ...FORMAT_1,
  fixed('kernel_stack', 'kernelStack', 'int32'),
  fixed('user_stack', 'userStack', 'int32'),
  fixed('prio', 'prio', 'int32'),
  fixed('holder_prio', 'holderPrio', 'int32'),
  { name: 'file', key: 'file', type: 'utf8' },
  fixed('fork_threads', 'forkThreads', 'uint32'),
  fixed('fork_vmas', 'forkVmas', 'uint32'),
  fixed('fork_locked', 'forkLocked', 'uint32'),
  fixed('fork_wait', 'forkWait', 'float64'),
];

/** The columns of a format; those of format 1 are read still (`unpackWriters`). */
export function columnsOf(format: number): readonly Column[] {
  return format === 1 ? FORMAT_1 : COLUMNS;
}

/** Arrow buffers in one record batch: validity and data for each column, and the offsets of text. */
export function buffersOf(columns: readonly Column[]): number {
  return columns.reduce((n, column) => n + (column.type === 'utf8' ? 3 : 2), 0);
}

/** The bytes of the first `rows` values of a column. */
export function columnBytes(batch: EventBatch, column: FixedColumn, rows: number): Uint8Array {
  const values = batch[column.key];
  return new Uint8Array(values.buffer, values.byteOffset, rows * column.width);
}
