// SPDX-License-Identifier: MIT
/** Files the dashboard writes into the working directory: never over another one. */
import { existsSync } from 'node:fs';
import { errorCode, fileError } from '../../src/errors.js';
import { createFile } from '../../src/output/new-file.js';
import { writeAll } from '../../src/output/output.js';

/** Names looked for in one second. */
const MOST = 1000;

/** `vmalocktop-causes-20261123-130104.csv`, with a number behind it when there is such a file. */
export function freeName(what: string, extension: string, now: Date = new Date()): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const base = `vmalocktop-${what.replace(/[^\w.-]+/g, '-')}-${stamp}`;
  for (let i = 1; ; i++) {
    const name = i === 1 ? `${base}.${extension}` : `${base}-${i}.${extension}`;
    if (!existsSync(name) || i === MOST) return name;
  }
}

/** Resolves to the name it got. Rejects with a `UserError` when it cannot be written. */
export async function saveText(what: string, extension: string, text: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const name = freeName(what, extension);
    try {
      const file = await createFile(name, { exclusive: true });
      try {
        await writeAll(file.handle, new TextEncoder().encode(text));
      } finally {
        await file.close();
      }
      return name;
    } catch (error) {
      // Two exports in one second: the other was quicker.
      if (errorCode(error) !== 'EEXIST' || tries === MOST) throw fileError(`cannot write ${name}`, error);
    }
  }
}
