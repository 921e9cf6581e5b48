// SPDX-License-Identifier: MIT
/**
 * What takes minutes and rarely finds what a short form does not find: `make test-long` runs it whole, `make test` the short
 * form, so that who changes something waits for no more than needed.
 */
export const long: boolean = process.env.VMALOCKTOP_LONG === '1';

/** Runs of a property: each time of other cases, so that a fifth of them, often, find what all of them do. */
export const runs = (count: number): number => (long ? count : Math.ceil(count / 5));

/** Of many cases that are alike a fifth, of which others each day; all of them in the long form. */
export function some<T>(all: readonly T[], share: number = 5): readonly T[] {
  const today = Math.floor(Date.now() / 86_400_000) % share;
  return long ? all : all.filter((_, i) => i % share === today);
}

/** For node:test's `skip`. */
export const longOnly: string | false = long ? false : 'only in make test-long';
