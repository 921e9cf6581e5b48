// SPDX-License-Identifier: MIT

/** Index of the last element ≤ `value` of an ascending array, -1 when all are greater. */
export function lastAtMost(sorted: Float64Array | Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
