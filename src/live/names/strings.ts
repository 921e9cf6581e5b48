// SPDX-License-Identifier: MIT

const OTHER_TEXT = '(other)';

/** Puts texts of user-side rows, each once, into the list the `comm` column refers to. */
export class TextPool {
  #strings: string[];
  readonly #ids: Map<string, number> = new Map();
  readonly #most: number;

  /**
   * `strings`: those of the source's batches, to which others may append as well.
   * `most`: texts beyond this many are all `OTHER_TEXT` until the list is renewed. A daemon must not grow, and task names
   * share the list (65 536 in all, comms.ts).
   */
  constructor(strings: string[], most: number) {
    this.#strings = strings;
    this.#most = most;
  }

  /** Another list from now on: each text gets its place there when it is needed next. */
  renew(strings: string[]): void {
    this.#strings = strings;
    this.#ids.clear();
  }

  /** Index of `text` in the list; of `OTHER_TEXT` when there are too many. */
  id(text: string): number {
    if (text === '') return 0;
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#most && text !== OTHER_TEXT) return this.id(OTHER_TEXT);
    const id = this.#strings.push(text) - 1;
    this.#ids.set(text, id);
    return id;
  }
}
