// SPDX-License-Identifier: MIT
/** The record batch messages of a recording, or of its parts one behind the other. */
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { ByteReader } from '../format/bytes.js';
import { type Frame, type MessageFrame, readFrame } from '../format/frame.js';
import { type Head, headOf, readHead } from '../format/header.js';
import { damaged, otherSession, partsApart, readError } from '../format/read-errors.js';

export class MessageReader {
  /** Of the first part. */
  readonly head: Head;
  /** Parts seen so far. */
  parts = 1;
  /** How the bytes ended, once `next` has given null. */
  ending: Exclude<Frame, MessageFrame | { kind: 'damaged' }> | null = null;
  readonly #reader: ByteReader;
  readonly #name: string;
  #latest: Head;

  private constructor(reader: ByteReader, name: string, head: Head) {
    this.#reader = reader;
    this.#name = name;
    this.head = head;
    this.#latest = head;
  }

  /** Settles once the head is there. Rejects with a `UserError` when this is no recording that can be read. */
  static async open(chunks: AsyncIterable<Uint8Array>, name: string): Promise<MessageReader> {
    let first = new Uint8Array(0);
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        if (first.length < 8) first = new Uint8Array(Buffer.concat([first, chunk.subarray(0, 8)]));
        yield chunk;
      }
    };
    const reader = new ByteReader(watched());
    try {
      return new MessageReader(reader, name, await readHead(reader, name, () => first));
    } catch (error) {
      throw readError(name, error);
    }
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#reader.offset;
  }

  /** The next record batch, or null at the end. Rejects with a `UserError`. */
  async next(): Promise<MessageFrame | null> {
    // Between two parts stands an end-of-stream marker; a reader of the first alone ends there.
    let marker: Frame | null = null;
    for (;;) {
      let frame: Frame;
      try {
        frame = await readFrame(this.#reader);
      } catch (error) {
        throw readError(this.#name, error);
      }
      if (frame.kind === 'damaged') throw damaged(this.#name, frame.offset, frame.why);
      if (frame.kind === 'end' && marker === null) {
        marker = frame;
        continue;
      }
      if (frame.kind !== 'message') {
        const nothing = frame.kind === 'cut' && !frame.partial;
        this.ending = marker?.kind === 'end' && nothing ? marker : frame;
        return null;
      }
      if (frame.type === MessageHeader.Schema) {
        this.#begin(frame);
        marker = null;
        continue;
      }
      if (frame.type !== MessageHeader.RecordBatch || marker !== null)
        throw damaged(this.#name, frame.offset, 'a message that has no place in a recording');
      return frame;
    }
  }

  /** The head of a further part. */
  #begin(frame: MessageFrame): void {
    let head: Head;
    try {
      head = headOf(frame, this.#name);
    } catch (error) {
      throw damaged(this.#name, frame.offset, 'a second head that cannot be read', error);
    }
    const [was, is] = [this.#latest, head];
    const same =
      was.format === is.format && was.session.bootId === is.session.bootId && was.session.baseNs === is.session.baseNs;
    if (!same || was.part === null || is.part === null) throw otherSession(this.#name, frame.offset);
    if (is.part.number !== was.part.number + 1) throw partsApart(this.#name, was.part.number, is.part.number);
    this.#latest = head;
    this.parts++;
  }
}
