// SPDX-License-Identifier: MIT
/** Files the dashboard writes into the working directory: never over another one. */
import { existsSync, writeFileSync } from 'node:fs';
import { fileError } from '../../src/errors.js';

/** `vmalocktop-causes-20261123-130104.csv`, with a number behind it when there is such a file. */
export function freeName(what: string, extension: string, now: Date = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const base = `vmalocktop-${what.replace(/[^\w.-]+/g, '-')}-${stamp}`;
  for (let i = 1; ; i++) {
    const name = i === 1 ? `${base}.${extension}` : `${base}-${i}.${extension}`;
    if (!existsSync(name)) return name;
  }
}

/** Returns the name it got. Throws a `UserError` when it cannot be written. */
export function saveText(what: string, extension: string, text: string): string {
  const name = freeName(what, extension);
  try {
    writeFileSync(name, text, { flag: 'wx' });
  } catch (error) {
    throw fileError(`cannot write ${name}`, error);
  }
  return name;
}
