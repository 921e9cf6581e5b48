// SPDX-License-Identifier: MIT
/** Files that come with the program: found from the package's root, wherever in it this module was put by a bundler. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

function findRoot(): URL {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) {
    const parent = new URL('..', folder);
    if (parent.href === folder.href) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
  return folder;
}

const ROOT = findRoot();

/** The absolute path of a file of the package, by its path in it. It is not looked whether the file is there. */
export function resource(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** The package's version, as in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(resource('package.json'), 'utf8')) as { version: string }).version;
}
