// SPDX-License-Identifier: MIT
/** Which ->fault of which driver or file system returned RETRY. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { Names } from '../events/names.js';
import type { HandlerRow } from './snapshot-rows.js';

const MAX_HANDLERS = 1024;
const MAX_HANDLER_ROWS = 256;

export class Handlers {
  readonly #rows: BoundedMap<bigint, { retries: number }> = new BoundedMap(MAX_HANDLERS, (row) => row.retries);

  /** 0n: the cause needed no handler, or it was not read. */
  retried(address: bigint): void {
    if (address === 0n) return;
    const row = this.#rows.get(address);
    if (row !== undefined) row.retries++;
    else this.#rows.set(address, { retries: 1 });
  }

  rows(names: Names): HandlerRow[] {
    return [...this.#rows.entries()]
      .map(([address, { retries }]) => ({ address, name: names.handlers.get(address) ?? '', retries }))
      .sort((x, y) => y.retries - x.retries || (x.address < y.address ? -1 : 1))
      .slice(0, MAX_HANDLER_ROWS);
  }
}
