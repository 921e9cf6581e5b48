// SPDX-License-Identifier: MIT
/**
 * What a single executable runs (nodejs.org/api/single-executable-applications.html): finds the folder of its files, or
 * writes them there, and loads the program from it. esbuild makes one CommonJS file of this: Node 20 takes no other there.
 */
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { getAsset, getRawAsset } from 'node:sea';
import { cacheOf, place } from './place.js';

const { hash, files } = JSON.parse(getAsset('contents', 'utf8')) as { hash: string; files: readonly string[] };
// Its types promise a string too; it is always an ArrayBuffer.
const contents = { hash, files, read: (path: string) => new Uint8Array(getRawAsset(path) as ArrayBuffer) };

try {
  const uid = process.geteuid?.() ?? -1;
  const { folder, fleeting } = place(contents, cacheOf(uid, process.env), uid, Date.now());
  if (fleeting) process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // The script of a single executable has no import(); a file that is required has.
  createRequire(join(folder, 'package.json'))('./start.cjs');
} catch (error) {
  const cause = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `vmalocktop: cannot write out its files: ${cause}\n→ set XDG_CACHE_HOME or TMPDIR to a directory of yours with room for 10 MB\n`,
  );
  process.exitCode = 1;
}
