// SPDX-License-Identifier: MIT
/** The head of a recording: is it one, of which version, with which columns, of which session. */
import { Endianness } from 'apache-arrow/fb/endianness';
import type { Field } from 'apache-arrow/fb/field';
import { FloatingPoint } from 'apache-arrow/fb/floating-point';
import { Int } from 'apache-arrow/fb/int';
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { Precision } from 'apache-arrow/fb/precision';
import { Schema } from 'apache-arrow/fb/schema';
import { Type } from 'apache-arrow/fb/type';
import type { SessionInfo } from '../../core/events/session.js';
import type { ByteReader } from './bytes.js';
import {
  type Column,
  type ColumnType,
  columnsOf,
  FORMAT_KEY,
  FORMAT_VERSION,
  PART_KEY,
  SESSION_KEY,
} from './columns.js';
import { type MessageFrame, readFrame } from './frame.js';
import { type Part, parsePart } from './part.js';
import {
  damagedHead,
  emptyInput,
  foreignArrow,
  headCutOff,
  newerFormat,
  notArrow,
  otherColumns,
} from './read-errors.js';
import { checkSession } from './session-fields.js';

export interface Head {
  /** Version of the format: which columns there are (`columnsOf`). */
  readonly format: number;
  readonly session: SessionInfo;
  /** Null for a recording in one piece. */
  readonly part: Part | null;
}

/** Reads the first message. Rejects with a `UserError` when this is not a recording that can be read. */
export async function readHead(reader: ByteReader, name: string, peeked: () => Uint8Array): Promise<Head> {
  const frame = await readFrame(reader);
  const first = peeked();
  if (first.length === 0) throw emptyInput(name);
  if (!first.subarray(0, 4).every((byte) => byte === 0xff)) throw notArrow(name, first);
  if (frame.kind === 'cut') throw headCutOff(name);
  if (frame.kind === 'damaged') throw damagedHead(name, frame.why);
  if (frame.kind === 'end') throw damagedHead(name, 'the stream ends where it begins');
  if (frame.type !== MessageHeader.Schema) throw damagedHead(name, 'it does not begin with a schema');
  return headOf(frame, name);
}

/** What a schema message says. Throws a `UserError` when it is not that of a recording that can be read. */
export function headOf(frame: MessageFrame, name: string): Head {
  let metadata: ReadonlyMap<string, string>;
  let types: readonly (readonly [name: string, type: ColumnType | 'other'])[];
  try {
    const schema = frame.message.header(new Schema()) as Schema;
    metadata = readMetadata(schema);
    types = schema.endianness() === Endianness.Little ? readTypes(schema) : [];
  } catch (error) {
    throw damagedHead(name, 'its schema makes no sense', error);
  }
  const version = metadata.get(FORMAT_KEY);
  if (version === undefined) throw foreignArrow(name);
  if (!/^[1-9]\d{0,8}$/.test(version)) throw damagedHead(name, 'its format version is not a number');
  if (Number(version) > FORMAT_VERSION) throw newerFormat(name, version, FORMAT_VERSION);
  const format = Number(version);
  const difference = compareColumns(types, columnsOf(format));
  if (difference !== null) throw otherColumns(name, difference);
  const session = readSession(name, metadata.get(SESSION_KEY));
  const json = metadata.get(PART_KEY);
  if (json === undefined) return { format, session, part: null };
  const part = parsePart(json);
  if (part === null) throw damagedHead(name, 'which part of a recording it is makes no sense');
  return { format, session, part };
}

/** A vector's length out of damaged bytes may be anything; a schema of ours has few of each. */
const MAX_ENTRIES = 1000;

function readMetadata(schema: Schema): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (let i = 0; i < Math.min(schema.customMetadataLength(), MAX_ENTRIES); i++) {
    const entry = schema.customMetadata(i);
    const key = entry?.key();
    if (entry && key) entries.set(key, entry.value() ?? '');
  }
  return entries;
}

function readTypes(schema: Schema): (readonly [string, ColumnType | 'other'])[] {
  const types: (readonly [string, ColumnType | 'other'])[] = [];
  for (let i = 0; i < Math.min(schema.fieldsLength(), MAX_ENTRIES); i++) {
    const field = schema.fields(i);
    types.push([field?.name() ?? '', field && !field.dictionary() ? typeOf(field) : 'other']);
  }
  return types;
}

function typeOf(field: Field): ColumnType | 'other' {
  switch (field.typeType()) {
    case Type.Utf8:
      return 'utf8';
    case Type.FloatingPoint: {
      const type = field.type(new FloatingPoint()) as FloatingPoint;
      return type.precision() === Precision.DOUBLE ? 'float64' : 'other';
    }
    case Type.Int: {
      const type = field.type(new Int()) as Int;
      const unsigned = { 8: 'uint8', 16: 'uint16', 32: 'uint32', 64: 'uint64' } as const;
      if (type.isSigned()) return type.bitWidth() === 32 ? 'int32' : 'other';
      return unsigned[type.bitWidth() as 8] ?? 'other';
    }
    default:
      return 'other';
  }
}

/** The first difference in words, or `null`. */
function compareColumns(
  types: readonly (readonly [string, ColumnType | 'other'])[],
  columns: readonly Column[],
): string | null {
  for (const [i, column] of columns.entries()) {
    const found = types[i];
    if (!found) return `column ${column.name} is missing`;
    if (found[0] !== column.name) return `column ${i + 1} is not ${column.name}`;
    if (found[1] !== column.type) return `column ${column.name} is not ${column.type}`;
  }
  return types.length > columns.length ? `${types.length} columns where there should be ${columns.length}` : null;
}

function readSession(name: string, json: string | undefined): SessionInfo {
  if (json === undefined) throw damagedHead(name, 'its session is missing');
  let session: unknown;
  try {
    session = JSON.parse(json);
  } catch (error) {
    throw damagedHead(name, 'its session is not JSON', error);
  }
  if (typeof session !== 'object' || session === null || Array.isArray(session))
    throw damagedHead(name, 'its session is not an object');
  const { v } = session as { v?: unknown };
  if (typeof v === 'number' && v > 1) throw newerFormat(name, `${FORMAT_VERSION} (session ${v})`, FORMAT_VERSION);
  const checked = checkSession(session as Record<string, unknown>);
  if ('session' in checked) return checked.session;
  throw damagedHead(name, `its session lacks a proper "${checked.field}", which must be ${checked.allowed}`);
}
