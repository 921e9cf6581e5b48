// SPDX-License-Identifier: MIT
/** How the place of a value in a configuration file is written. */

/** `rule[0].when` */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}
