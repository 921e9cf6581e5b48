// SPDX-License-Identifier: MIT
/** The first rows of an order, without ordering all the others. */

/** As `[...rows].sort(order).slice(0, count)`; `count` ≥ 1. */
export function topOf<T>(rows: Iterable<T>, count: number, order: (x: T, y: T) => number): T[] {
  const top: T[] = [];
  let last: T | null = null;
  for (const row of rows) {
    if (last !== null && order(row, last) >= 0) continue;
    top.push(row);
    if (top.length < 2 * count) continue;
    cut(top, count, order);
    last = top[count - 1] as T;
  }
  cut(top, count, order);
  return top;
}

function cut<T>(top: T[], count: number, order: (x: T, y: T) => number): void {
  top.sort(order);
  if (top.length > count) top.length = count;
}
