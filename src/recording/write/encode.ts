// SPDX-License-Identifier: MIT
/**
 * Arrow IPC messages: the schema, and record batches with zstd-compressed buffers.
 *
 * apache-arrow encodes the metadata (its flatbuffers); the body is laid out here. Its RecordBatchStreamWriter 21.2 would
 * put the *compressed* length before each buffer where Message.fbs wants the uncompressed one (other readers then fail),
 * and it remembers every batch it ever wrote.
 */
import { CompressionType } from 'apache-arrow/fb/compression-type';
import { BodyCompression, BufferRegion, FieldNode, Message, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { Field, Schema } from 'apache-arrow/schema';
import { type DataType, Float64, Int32, Uint8, Uint16, Uint32, Uint64, Utf8 } from 'apache-arrow/type';
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Packer } from '../format/codec.js';
import {
  COLUMNS,
  type Column,
  type ColumnType,
  columnBytes,
  columnsOf,
  FORMAT_KEY,
  FORMAT_VERSION,
  PART_KEY,
  SESSION_KEY,
} from '../format/columns.js';
import type { Part } from '../format/part.js';
import { Staging } from './staging.js';

const ARROW_TYPE: Readonly<Record<ColumnType, () => DataType>> = {
  uint8: () => new Uint8(),
  uint16: () => new Uint16(),
  uint32: () => new Uint32(),
  uint64: () => new Uint64(),
  int32: () => new Int32(),
  float64: () => new Float64(),
  utf8: () => new Utf8(),
};

/** Columns.rst, "Encapsulated message format": continuation marker, metadata length, metadata, body; each part padded to 8. */
const CONTINUATION = 0xffffffff;
const PREFIX = 8;

const align8 = (n: number): number => (n + 7) & ~7;

/** The bytes that end a stream in order. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

function frame(metadata: Uint8Array, bodyLength: number): { bytes: Uint8Array; body: number } {
  const body = align8(PREFIX + metadata.length);
  const bytes = new Uint8Array(body + bodyLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setInt32(4, body - PREFIX, true);
  bytes.set(metadata, PREFIX);
  return { bytes, body };
}

/** The first message of a recording, or of a part of one. `format`: an earlier one is written to see it read. */
export function schemaMessage(
  session: SessionInfo,
  part: Part | null = null,
  format: number = FORMAT_VERSION,
): Uint8Array {
  const fields = columnsOf(format).map((column) => new Field(column.name, ARROW_TYPE[column.type](), false));
  const metadata = new Map([
    [FORMAT_KEY, String(format)],
    [SESSION_KEY, JSON.stringify(session)],
  ]);
  if (part !== null) metadata.set(PART_KEY, JSON.stringify(part));
  return frame(Message.encode(Message.from(new Schema(fields, metadata))), 0).bytes;
}

export class BatchEncoder {
  readonly #packer: Packer;
  readonly #columns: readonly Column[];

  constructor(packer: Packer, columns: readonly Column[] = COLUMNS) {
    this.#packer = packer;
    this.#columns = columns;
  }

  /** Messages of all rows of these batches, as few as hold them. */
  encodeAll(batches: Iterable<EventBatch>): Uint8Array[] {
    const messages: Uint8Array[] = [];
    const staging = new Staging();
    const flush = (): void => {
      messages.push(this.encode(staging));
      staging.clear();
    };
    for (const batch of batches) {
      for (let from = 0; from < batch.length; ) {
        from += staging.append(batch, from);
        if (staging.full) flush();
      }
    }
    if (staging.rows > 0) flush();
    return messages;
  }

  /** One record batch message of all staged rows, in memory of its own. */
  encode(staging: Staging): Uint8Array {
    const rows = staging.rows;
    const regions: BufferRegion[] = [];
    const raws: Uint8Array[] = [];
    const packed: Uint8Array[] = [];
    let length = 0;
    const add = (raw: Uint8Array): void => {
      const small = raw.length === 0 ? raw : this.#packer.compress(raw);
      // A buffer that zstd cannot shrink goes in as it is, with -1 for its length (Message.fbs, BodyCompressionMethod).
      const data = small.length < raw.length ? small : raw;
      const size = raw.length === 0 ? 0 : 8 + data.length;
      regions.push(new BufferRegion(length, size));
      raws.push(raw);
      packed.push(data);
      length += align8(size);
    };
    const absent = new Uint8Array(0);
    for (const column of this.#columns) {
      add(absent); // validity: nothing is ever null
      if (column.type === 'utf8') {
        const text = staging.text(column.key);
        add(text.offsets);
        add(text.bytes);
      } else {
        add(columnBytes(staging.batch, column, rows));
      }
    }
    const nodes = this.#columns.map(() => new FieldNode(rows, 0));
    const header = new RecordBatch(rows, nodes, regions, new BodyCompression(CompressionType.ZSTD));
    const { bytes, body } = frame(Message.encode(Message.from(header, length)), length);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < regions.length; i++) {
      const [region, raw, data] = [regions[i], raws[i], packed[i]];
      if (!region || !raw || !data || raw.length === 0) continue;
      view.setBigInt64(body + region.offset, data === raw ? -1n : BigInt(raw.length), true);
      bytes.set(data, body + region.offset + 8);
    }
    return bytes;
  }
}
