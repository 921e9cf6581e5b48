// SPDX-License-Identifier: MIT

/** The task names of a source share the list, and a daemon must not grow: texts beyond this many are all `OTHER_TEXT`. */
const MAX_TEXTS = 32_768;
export const OTHER_TEXT = '(other)';

/** Puts texts of user-side rows, each once, into the list the `comm` column refers to. */
export class TextPool {
  readonly #strings: string[];
  readonly #ids: Map<string, number> = new Map();
  readonly #most: number;

  /** `strings`: those of the source's batches, to which others may append as well. */
  constructor(strings: string[], most: number = MAX_TEXTS) {
    this.#strings = strings;
    this.#most = most;
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
