// SPDX-License-Identifier: MIT
/**
 * What takes minutes and rarely finds what a short form does not find: `make test-long` runs it whole, `make test` the short
 * form, so that who changes something waits for no more than needed.
 */
export const long: boolean = process.env.VMALOCKTOP_LONG === '1';

/** For node:test's `skip`. */
export const longOnly: string | false = long ? false : 'only in make test-long';
