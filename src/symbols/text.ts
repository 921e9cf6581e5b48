// SPDX-License-Identifier: MIT

const LONGEST = 200;
/** Control characters, C1 ones and the invisible ones that turn text around. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A name somebody else chose, as it may stand in a terminal or a table: at most 200 characters, `?` for what would not show. */
export function printable(name: string): string {
  const text = name.replace(UNPRINTABLE, '?');
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
