// SPDX-License-Identifier: MIT
/**
 * package/main.js WHAT…: `npm` makes dist/package (the bundle) and the tarball of it; `deb` the Debian package for this
 * machine, `deb-amd64` and `deb-arm64` for one of that architecture; `single` one executable file for this machine.
 * All in dist/, their paths on standard output.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import { DEB_ARCHITECTURES, type DebArchitecture, debArchitecture, makeDeb } from './deb.js';
import { sbom } from './sbom.js';
import { makeSingle } from './single/make.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const OUT = join(ROOT, 'dist/package');

/** Time of the last commit, so that the same sources make the same package. */
function epochOf(): number {
  if (process.env.SOURCE_DATE_EPOCH !== undefined) return Number(process.env.SOURCE_DATE_EPOCH);
  const { status, stdout } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return Number(stdout);
  console.error(
    'cannot date the package: git knows no commit of this tree\n→ set SOURCE_DATE_EPOCH, seconds since 1970',
  );
  process.exit(2);
}

/** Who builds, as for Debian's own tools. */
function maintainer(): string {
  const { DEBFULLNAME: name = 'vmalocktop authors', DEBEMAIL: address = 'vmalocktop@example.org' } = process.env;
  return `${name} <${address}>`;
}

const DEB_KINDS = Object.keys(DEB_ARCHITECTURES) as DebArchitecture[];
const KINDS = ['npm', 'single', 'deb', ...DEB_KINDS.map((architecture) => `deb-${architecture}`)];

const wanted = process.argv.slice(2);
const odd = wanted.find((kind) => !KINDS.includes(kind));
if (odd !== undefined) {
  console.error(`no such package: ${odd}\n→ one of ${KINDS.join(', ')}`);
  process.exit(2);
}
const shipped = await bundle(ROOT, OUT);
writeFileSync(join(OUT, 'sbom.json'), sbom(ROOT, shipped));
if (wanted.includes('npm')) {
  const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', join(ROOT, 'dist')], {
    cwd: OUT,
    encoding: 'utf8',
  });
  console.log(join(ROOT, 'dist', (JSON.parse(packed) as [{ filename: string }])[0].filename));
}
if (wanted.includes('single')) console.log(await makeSingle(ROOT, OUT, join(ROOT, 'dist/single')));
const own = wanted.includes('deb') ? [debArchitecture()] : [];
const others = DEB_KINDS.filter((architecture) => wanted.includes(`deb-${architecture}`));
for (const architecture of new Set([...own, ...others])) {
  const out = join(ROOT, 'dist/deb');
  mkdirSync(out, { recursive: true });
  const compression = process.env.DEB_FAST === undefined ? ['-Zxz'] : ['-Zgzip', '-z1'];
  const options = { bundle: OUT, out, epoch: epochOf(), architecture, maintainer: maintainer(), compression };
  console.log(makeDeb(ROOT, options));
}
