// SPDX-License-Identifier: MIT
import { cleanLine } from '../core/present/clean.js';

const LONGEST = 200;

/** A name somebody else chose, as it may stand in a terminal or a table: at most 200 characters, `?` for what would not show. */
export function printable(name: string): string {
  const text = cleanLine(name);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
