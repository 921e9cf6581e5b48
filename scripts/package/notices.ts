// SPDX-License-Identifier: MIT
/** Whose work is in the package, and under which licence it may be there. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Shipped {
  /** Where it is in the tree: `node_modules/…`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  /** Its entry in the list of licences. */
  readonly text: string;
}

const LICENCE_FILE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** Throws when a package names no licence: it must not be shipped then. */
export function notices(root: string, paths: readonly string[]): readonly Shipped[] {
  return [...new Set(paths)].sort().map((path) => {
    const manifest = JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) as Record<string, unknown>;
    const { name, version, license } = manifest;
    if (typeof license !== 'string' || license === '') throw new Error(`${path} has no licence: it cannot be shipped`);
    const texts = readdirSync(join(root, path))
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => readFileSync(join(root, path, file), 'utf8').trimEnd());
    const text = `${'='.repeat(78)}\n${name} ${version} (${license})\n\n${texts.join('\n\n') || 'The package holds no text of it.'}\n`;
    return { path, name: String(name), version: String(version), license, text };
  });
}
