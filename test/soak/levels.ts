// SPDX-License-Identifier: MIT
/** Whether a figure that is sampled over a run stays level: medians are compared, so that no single peak decides. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export interface Levels {
  /** Medians of the third and of the last quarter of the run. */
  readonly third: number;
  readonly last: number;
}

export function levelsOf(values: readonly number[]): Levels {
  const quarter = Math.floor(values.length / 4);
  return { third: median(values.slice(-2 * quarter, -quarter)), last: median(values.slice(-quarter)) };
}

/** In words, what is wrong with a figure that should be flat in the second half of a run; null when it is. */
export function notFlat(what: string, values: readonly number[], share: number): string | null {
  if (values.length < 8) return `${what}: ${values.length} samples are too few to say anything`;
  const { third, last } = levelsOf(values);
  if (Math.abs(last - third) <= third * share) return null;
  const percent = ((last / third - 1) * 100).toFixed(1);
  return `${what} is not flat: ${percent} % from the third quarter (${third}) to the last (${last})`;
}
