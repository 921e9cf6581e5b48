// SPDX-License-Identifier: MIT
/** The recording every capture and every golden screen is made from: faults of all sorts. */
import { fileURLToPath } from 'node:url';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/', import.meta.url));

export const SCREENS: string = `${GOLDEN}tui/`;

export function bundledRecording(): string {
  return `${GOLDEN}mixed-7.3.vmlt`;
}

/** Alert rules of the golden screens. */
export const RULES: string = fileURLToPath(new URL('../../../test/tui/rules.toml', import.meta.url));
