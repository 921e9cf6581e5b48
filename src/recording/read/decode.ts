// SPDX-License-Identifier: MIT
/** A record batch message back into an `EventBatch`. Every number of the message is checked before it is used. */
import { BodyCompressionMethod } from 'apache-arrow/fb/body-compression-method';
import { CompressionType } from 'apache-arrow/fb/compression-type';
import { RecordBatch } from 'apache-arrow/fb/record-batch';
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import type { ZstdCodec } from '../format/codec.js';
import {
  BATCH_ROWS,
  buffersOf,
  type Column,
  columnBytes,
  columnsOf,
  MAX_ROWS,
  type TextKey,
} from '../format/columns.js';
import { MAX_BODY, type MessageFrame } from '../format/frame.js';
import { outOfRange, rangeText } from '../format/row-ranges.js';
import { unpackWriters } from './format-1.js';

/** The longest name is a path or a mangled symbol, of a few kB. */
const MAX_NAME = 65_536;
/**
 * Names remembered, and their length in all: beyond, a new list is begun with the next message. What reads a
 * stream for months must not grow with it.
 */
const MAX_STRINGS = 65_536;
const MAX_CHARS = 16 * 1024 * 1024;
/** Names of one message, in all. */
const MAX_NAMES = 64 * 1024 * 1024;

/** What is wrong with a message, in words; the reader says where. */
export class Damage extends Error {}

export class BatchDecoder {
  readonly #codec: ZstdCodec;
  readonly #format: number;
  readonly #columns: readonly Column[];
  readonly #buffers: number;
  #strings: string[] = [''];
  readonly #index = new Map<string, number>([['', 0]]);
  #names = 0;
  #offsets: Int32Array = new Int32Array(BATCH_ROWS + 1);
  #batch: EventBatch = createBatch(BATCH_ROWS, this.#strings);

  /** `format`: of the recording's head. */
  constructor(codec: ZstdCodec, format: number) {
    this.#codec = codec;
    this.#format = format;
    this.#columns = columnsOf(format);
    this.#buffers = buffersOf(this.#columns);
  }

  /**
   * The rows of the message, in the same columns each time: valid until the next call. Throws `Damage`.
   * `only`: the columns to decode beside `time`, where few are wanted; the others then hold anything.
   */
  decode(frame: MessageFrame, only: ReadonlySet<Column['key']> | null = null): EventBatch {
    const header = frame.message.header(new RecordBatch()) as RecordBatch | null;
    if (!header) throw new Damage('a batch without a head');
    const rows = checkedRows(header, this.#columns, this.#buffers);
    if (this.#strings.length > MAX_STRINGS || this.#names > MAX_CHARS) this.#forgetNames();
    const batch = this.#roomFor(rows);
    const buffers = new BodyBuffers(header, frame.body, this.#codec);
    for (const column of this.#columns) {
      buffers.skip(1); // validity: no nulls, checked
      if (only !== null && column.key !== 'time' && !only.has(column.key)) {
        buffers.skip(column.type === 'utf8' ? 2 : 1);
      } else if (column.type === 'utf8') {
        this.#takeOffsets(rows, buffers.next(rows === 0 ? 0 : (rows + 1) * 4, MAX_BODY));
        this.#fillText(batch, column.key, rows, buffers.next(0, MAX_BODY));
      } else {
        const bytes = buffers.next(rows * column.width, MAX_BODY);
        columnBytes(batch, column, rows).set(bytes.subarray(0, rows * column.width));
        const odd = outOfRange(column.key, batch[column.key], rows);
        if (odd >= 0)
          throw new Damage(`${column.name} is ${batch[column.key][odd]} in row ${odd}, not ${rangeText(column.key)}`);
      }
    }
    batch.length = rows;
    if (this.#format === 1 && only === null) unpackWriters(batch, (text) => this.#intern(text));
    return batch;
  }

  #forgetNames(): void {
    this.#strings = [''];
    this.#index.clear();
    this.#index.set('', 0);
    this.#names = 0;
    this.#batch = { ...this.#batch, strings: this.#strings };
  }

  #roomFor(rows: number): EventBatch {
    if (rows > this.#batch.kind.length) this.#batch = createBatch(rows, this.#strings);
    return this.#batch;
  }

  /** A copy: what a buffer holds is gone with the next one. */
  #takeOffsets(rows: number, bytes: Uint8Array): void {
    if (this.#offsets.length <= rows) this.#offsets = new Int32Array(rows + 1);
    // Little-endian, as the columns: no machine with Node and BPF is anything else.
    if (rows > 0) new Uint8Array(this.#offsets.buffer).set(bytes.subarray(0, (rows + 1) * 4));
  }

  #fillText(batch: EventBatch, key: TextKey, rows: number, data: Uint8Array): void {
    const offsets = this.#offsets;
    const column = batch[key];
    const text = Buffer.from(data.buffer, data.byteOffset, data.length);
    let start = rows === 0 ? 0 : (offsets[0] as number);
    if (start < 0 || start > data.length) throw new Damage('names that begin outside the names');
    for (let i = 0; i < rows; i++) {
      const end = offsets[i + 1] as number;
      if (end === start) {
        column[i] = 0;
        continue;
      }
      if (end < start || end > data.length) throw new Damage(`a name outside the names in row ${i}`);
      if (end - start > MAX_NAME) throw new Damage(`a name of ${end - start} bytes in row ${i}`);
      column[i] = this.#intern(text.toString('utf8', start, end));
      start = end;
    }
  }

  #intern(name: string): number {
    let index = this.#index.get(name);
    if (index === undefined) {
      this.#names += name.length;
      if (this.#names > MAX_NAMES) throw new Damage('more names than any message has');
      index = this.#strings.push(name) - 1;
      this.#index.set(name, index);
    }
    return index;
  }
}

function checkedRows(header: RecordBatch, columns: readonly Column[], buffers: number): number {
  const length = header.length();
  if (length < 0n || length > BigInt(MAX_ROWS)) throw new Damage(`a batch of ${length} rows`);
  if (header.nodesLength() !== columns.length) throw new Damage(`a batch of ${header.nodesLength()} columns`);
  if (header.buffersLength() !== buffers) throw new Damage(`a batch of ${header.buffersLength()} buffers`);
  for (const [i, column] of columns.entries()) {
    const node = header.nodes(i);
    if (node?.length() !== length) throw new Damage(`column ${column.name} has another number of rows`);
    if (node.nullCount() !== 0n) throw new Damage(`column ${column.name} has nulls`);
  }
  return Number(length);
}

/** The buffers of a body in their order, decompressed one by one. */
class BodyBuffers {
  readonly #header: RecordBatch;
  readonly #body: Uint8Array;
  readonly #codec: ZstdCodec;
  readonly #compressed: boolean;
  #at = 0;

  constructor(header: RecordBatch, body: Uint8Array, codec: ZstdCodec) {
    this.#header = header;
    this.#body = body;
    this.#codec = codec;
    const compression = header.compression();
    this.#compressed = compression !== null;
    if (compression && compression.codec() !== CompressionType.ZSTD)
      throw new Damage('compressed by something other than zstd');
    if (compression && compression.method() !== BodyCompressionMethod.BUFFER)
      throw new Damage('compressed in an unknown way');
  }

  skip(buffers: number): void {
    this.#at += buffers;
  }

  /** At least `least` bytes, at most `most`; more than `least` is padding. Valid until the next one is asked for. */
  next(least: number, most: number): Uint8Array {
    const region = this.#header.buffers(this.#at++);
    const [offset, length] = [Number(region?.offset() ?? -1n), Number(region?.length() ?? -1n)];
    if (offset < 0 || length < 0 || offset + length > this.#body.length)
      throw new Damage('a buffer outside its message');
    let bytes = this.#body.subarray(offset, offset + length);
    if (this.#compressed && length > 0) bytes = this.#expand(bytes, most);
    if (bytes.length < least || bytes.length > most)
      throw new Damage(`a buffer of ${bytes.length} bytes where ${least} should be`);
    return bytes;
  }

  /** Message.fbs, BodyCompressionMethod: the uncompressed length as int64, or -1 for a buffer left as it is; then the data. */
  #expand(bytes: Uint8Array, most: number): Uint8Array {
    if (bytes.length < 8) throw new Damage('a compressed buffer without a length');
    const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, true);
    const data = bytes.subarray(8);
    if (length === -1n) return data;
    if (length < 0n || length > BigInt(most)) throw new Damage(`a buffer of ${length} bytes`);
    try {
      return this.#codec.decompress(data, Number(length));
    } catch (error) {
      throw new Damage('a buffer that does not decompress', { cause: error });
    }
  }
}
