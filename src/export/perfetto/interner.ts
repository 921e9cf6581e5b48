// SPDX-License-Identifier: MIT

/** Interning ids of one kind of name; those not yet written travel in the next packet. */
export class Interner {
  readonly #ids: Map<string, number> = new Map();
  fresh: [id: number, name: string][] = [];

  id(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#ids.size + 1;
      this.#ids.set(name, id);
      this.fresh.push([id, name]);
    }
    return id;
  }
}
