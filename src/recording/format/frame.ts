// SPDX-License-Identifier: MIT
/**
 * Arrow's encapsulated messages, one by one (Columnar.rst, "Encapsulated message format").
 *
 * Framed here and not by apache-arrow's reader: that one ends quietly on some damage, throws at odd places on other,
 * and believes every length it reads.
 */
import { Message } from 'apache-arrow/fb/message';
import type { MessageHeader } from 'apache-arrow/fb/message-header';
import { ByteBuffer } from 'flatbuffers';
import type { ByteReader } from './bytes.js';

export interface MessageFrame {
  readonly kind: 'message';
  /** Where it begins in the stream. */
  readonly offset: number;
  readonly type: MessageHeader;
  readonly message: Message;
  readonly body: Uint8Array;
}
export type Frame =
  | MessageFrame
  /** The end-of-stream marker. */
  | { readonly kind: 'end' }
  /** The bytes ended: between two messages (`partial` false) or inside one. */
  | { readonly kind: 'cut'; readonly partial: boolean; readonly bytes: number }
  | { readonly kind: 'damaged'; readonly offset: number; readonly why: string };

/** A session's description is a few kB, a batch's metadata 1.5 kB. */
const MAX_METADATA: number = 16 * 1024 * 1024;
/** The largest batch a reader accepts has 15 MB of columns, and a name or symbol for each row. */
export const MAX_BODY: number = 64 * 1024 * 1024;

const CONTINUATION = 0xffffffff;

/** Rejects only with what the byte source throws. */
export async function readFrame(reader: ByteReader): Promise<Frame> {
  const offset = reader.offset;
  const wrong = (why: string): Frame => ({ kind: 'damaged', offset, why });
  const cut = (): Frame => ({ kind: 'cut', partial: reader.offset > offset, bytes: reader.offset - offset });

  const prefix = await reader.read(8);
  if (prefix.length < 8) return cut();
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  if (view.getUint32(0, true) !== CONTINUATION) return wrong('no message begins here');
  const length = view.getInt32(4, true);
  if (length === 0) return { kind: 'end' };
  if (length < 8 || length > MAX_METADATA) return wrong(`a message head of ${length} bytes`);

  const metadata = await reader.read(length);
  if (metadata.length < length) return cut();
  let message: Message;
  let size: bigint;
  let type: MessageHeader;
  try {
    message = Message.getRootAsMessage(new ByteBuffer(metadata));
    size = message.bodyLength();
    type = message.headerType();
  } catch {
    return wrong('a message head that makes no sense');
  }
  if (size < 0n || size > BigInt(MAX_BODY)) return wrong(`a message body of ${size} bytes`);

  const body = await reader.read(Number(size));
  if (body.length < Number(size)) return cut();
  return { kind: 'message', offset, type, message, body };
}
