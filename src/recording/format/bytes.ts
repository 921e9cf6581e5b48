// SPDX-License-Identifier: MIT
/** Exact reads over chunks of any size, holding no more than one message and one chunk. */

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ended = false;
  /** Bytes consumed so far: where in the stream the next read begins. */
  offset = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /**
   * The next `length` bytes; fewer only at the end of the stream. Nothing is allocated ahead of the bytes that are
   * there, so a length out of a damaged file costs nothing. Rejects with what the source throws.
   */
  async read(length: number): Promise<Uint8Array> {
    while (this.#buffered < length && !this.#ended) {
      const next = await this.#source.next();
      if (next.done) this.#ended = true;
      else if (next.value.length > 0) {
        this.#chunks.push(next.value);
        this.#buffered += next.value.length;
      }
    }
    const bytes = this.#take(Math.min(length, this.#buffered));
    this.#buffered -= bytes.length;
    this.offset += bytes.length;
    return bytes;
  }

  #take(length: number): Uint8Array {
    const head = this.#chunks[0];
    if (!head || length === 0) return new Uint8Array(0);
    if (head.length > length) {
      this.#chunks[0] = head.subarray(length);
      return head.subarray(0, length);
    }
    if (head.length === length) {
      this.#chunks.shift();
      return head;
    }
    const out = new Uint8Array(length);
    let at = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      const part = chunk.length <= length - at ? chunk : chunk.subarray(0, length - at);
      out.set(part, at);
      at += part.length;
      if (part.length < chunk.length) this.#chunks[used] = chunk.subarray(part.length);
      else used++;
      if (at === length) break;
    }
    this.#chunks.splice(0, used);
    return out;
  }
}
