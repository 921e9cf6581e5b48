// SPDX-License-Identifier: MIT
/** How costs are written in tables of BENCHMARKS.md. */

export const thousands = (value: number): string => Math.round(value).toLocaleString('en-US');

/** With its sign: what lies below the noise may be less than nothing. */
export const difference = (value: number): string => `${value < 0 ? '−' : '+'}${thousands(Math.abs(value))}`;

/** A share, with its sign. */
export const percent = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)} %`;
