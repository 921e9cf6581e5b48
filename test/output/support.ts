// SPDX-License-Identifier: MIT
/** A recording to read, and a directory for what is written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A small one: what is in it is nothing to these tests, and some fifty commands read it. */
export const RECORDING: string = fileURLToPath(new URL('../../../test/golden/retry-vma-6.12.vmlt', import.meta.url));

export function scratch(t: { after(work: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'vlt-out-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
