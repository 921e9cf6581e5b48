// SPDX-License-Identifier: MIT
/** The recording every capture and every golden screen is made from: the first real one of test/golden. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/', import.meta.url));

export const SCREENS: string = `${GOLDEN}tui/`;

export function bundledRecording(): string {
  const [name] = readdirSync(GOLDEN)
    .filter((file) => file.endsWith('.vmlt') && !file.startsWith('synthetic'))
    .sort();
  if (name === undefined) throw new Error(`no recording in ${GOLDEN}`);
  return GOLDEN + name;
}

/** Alert rules of the golden screens. */
export const RULES: string = fileURLToPath(new URL('../../../test/tui/rules.toml', import.meta.url));
