// SPDX-License-Identifier: MIT
/** Task names as small integers: a name that was seen before costs one probe of a hash table and no string. */

/** Words of `char comm[16]` (TASK_COMM_LEN). */
const WORDS = 4;
/** A process may rename itself without end (PR_SET_NAME), and a daemon must not grow with it: names beyond are all called `OTHER`. */
const MAX_NAMES = 65_536;
/** With so many texts in the list, others' included, a source begins a new one between two batches: then none is lost. */
const MANY = MAX_NAMES >> 1;
export const OTHER_COMM = '(other)';

export class CommTable {
  /** Append-only; `strings[0] === ''`. */
  readonly strings: string[] = [''];
  readonly #ids = new Map<string, number>([['', 0]]);
  /** Open addressing: `WORDS` words a slot, and its id + 1 (0: free). */
  #words = new Uint32Array(256 * WORDS);
  #slots = new Uint32Array(256);
  #used = 0;
  readonly #bytes = Buffer.alloc(WORDS * 4);

  /** It is time for another table, before names are lost. */
  get full(): boolean {
    return this.strings.length > MANY;
  }

  /** The id of the name in four little-endian words. Whatever follows its first zero byte does not matter. */
  id(w0: number, w1: number, w2: number, w3: number): number {
    const words = this.#words;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hash = Math.imul(
      w0 ^ Math.imul(w1, 0x85eb_ca6b) ^ Math.imul(w2, 0xc2b2_ae35) ^ Math.imul(w3, 0x27d4_eb2f),
      0x9e37_79b1,
    );
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = slots[slot] as number;
      if (found === 0) return this.#add(slot, w0, w1, w2, w3);
      const at = slot * WORDS;
      if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3) return found - 1;
    }
  }

  #add(slot: number, w0: number, w1: number, w2: number, w3: number): number {
    const bytes = this.#bytes;
    bytes.writeUInt32LE(w0, 0);
    bytes.writeUInt32LE(w1, 4);
    bytes.writeUInt32LE(w2, 8);
    bytes.writeUInt32LE(w3, 12);
    const end = bytes.indexOf(0);
    const id = this.text(bytes.toString('utf8', 0, end < 0 ? bytes.length : end));
    if (this.#used === MAX_NAMES) return id;
    this.#words.set([w0, w1, w2, w3], slot * WORDS);
    this.#slots[slot] = id + 1;
    // Half full at most: probes stay short.
    if (++this.#used * 2 > this.#slots.length) this.#grow();
    return id;
  }

  /** The id of any text: one that was in the list already has it still. */
  text(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.strings.length > MAX_NAMES && name !== OTHER_COMM) return this.text(OTHER_COMM);
    const id = this.strings.push(name) - 1;
    this.#ids.set(name, id);
    return id;
  }

  #grow(): void {
    const words = this.#words;
    const slots = this.#slots;
    this.#words = new Uint32Array(words.length * 2);
    this.#slots = new Uint32Array(slots.length * 2);
    this.#used = 0;
    for (let slot = 0; slot < slots.length; slot++) {
      if (slots[slot] === 0) continue;
      const [w0, w1, w2, w3] = words.subarray(slot * WORDS, slot * WORDS + WORDS) as unknown as [
        number,
        number,
        number,
        number,
      ];
      this.id(w0, w1, w2, w3);
    }
  }
}
