// SPDX-License-Identifier: MIT
/** koffi as it is at run time, with its native part: npm fetches that for the machine it installs on, other packages bring it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyParts } from './bundle.js';

/** What koffi is at run time; the rest of it builds its native part. */
const KOFFI: readonly string[] = [
  'package.json',
  'LICENSE.txt',
  'index.js',
  'index.cjs',
  'indirect.js',
  'indirect.cjs',
  'src/koffi/index.js',
  'src/koffi/index.cjs',
  'src/koffi/indirect.js',
  'src/koffi/indirect.cjs',
  'src/koffi/src/static.js',
  'src/koffi/src/static.cjs',
];

/** Copies it into `to`/node_modules, for a machine that Node calls `arch`. */
export function copyKoffi(root: string, to: string, arch: string): void {
  copyParts(join(root, 'node_modules/koffi'), join(to, 'node_modules/koffi'), KOFFI);
  const native = `@koromix/koffi-linux-${arch}`;
  const parts = ['package.json', 'index.js', `linux_${arch}`];
  copyParts(nativePart(root, native), join(to, 'node_modules', native), parts);
}

/** Where that part is: among what npm installed for this machine, else fetched by npm for the other one. */
function nativePart(root: string, native: string): string {
  const installed = join(root, 'node_modules', native);
  if (existsSync(installed)) return installed;
  const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'node_modules/koffi/package.json'), 'utf8')) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const version = optionalDependencies[native];
  if (version === undefined) throw new Error(`koffi has no ${native}`);
  const to = join(root, 'dist/native', `${native.replace('/', '-')}-${version}`);
  if (existsSync(join(to, 'package'))) return join(to, 'package');
  mkdirSync(to, { recursive: true });
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', `${native}@${version}`], {
    cwd: to,
    encoding: 'utf8',
  });
  execFileSync('tar', ['-xzf', (JSON.parse(packed) as [{ filename: string }])[0].filename], { cwd: to });
  return join(to, 'package');
}
