// SPDX-License-Identifier: MIT
/**
 * One executable file of the bundle, koffi and the Node that makes it, by Node's own way
 * (nodejs.org/api/single-executable-applications.html). Of the host it takes glibc, libstdc++ and, to observe, libbpf.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { inject } from 'postject';
import { copyParts, readManifest } from '../bundle.js';
import { copyKoffi } from '../koffi.js';

/** Where Node looks whether it is one (src/node_sea.cc, deps/postject). */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
/** Beside the executable in what nodejs.org offers, and in packages. */
const LICENCES = ['../LICENSE', '../share/doc/nodejs/LICENSE', '../share/doc/nodejs/copyright'];

/** `bundle` is what bundle.ts made; `node`, the executable of Node that is taken. Returns the path of the file, in `out`. */
export async function makeSingle(
  root: string,
  bundle: string,
  out: string,
  node: string = process.execPath,
): Promise<string> {
  const program = readFileSync(node);
  if (!program.includes(FUSE))
    throw new Error(
      `${node} cannot become a single executable: take a Node.js from nodejs.org, which holds all of itself`,
    );
  rmSync(out, { recursive: true, force: true });
  const tree = join(out, 'tree');
  mkdirSync(tree, { recursive: true });
  copyParts(bundle, tree, ['package.json', 'dist', 'bpf', 'share', 'node_modules', 'LICENSES', 'sbom.json']);
  copyKoffi(root, tree, process.arch);
  writeFileSync(join(tree, 'LICENSES/nodejs.txt'), nodeLicence(node));
  writeFileSync(join(tree, 'start.cjs'), "import('./dist/cli/main.js');\n");

  const files = readdirSync(tree, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(tree, file)).isFile())
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(tree, file)));
  const contents = join(out, 'contents.json');
  writeFileSync(contents, JSON.stringify({ hash: hash.digest('hex').slice(0, 16), files }));

  const main = join(out, 'start.cjs');
  await build({
    entryPoints: [join(root, 'dist/scripts/package/single/start.js')],
    outfile: main,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  });
  const blob = join(out, 'blob');
  const config = join(out, 'sea-config.json');
  const assets = Object.fromEntries(files.map((file) => [file, join(tree, file)]));
  writeFileSync(
    config,
    JSON.stringify({ main, output: blob, disableExperimentalSEAWarning: true, assets: { ...assets, contents } }),
  );
  execFileSync(node, ['--experimental-sea-config', config], { stdio: 'pipe' });

  const { name, version } = readManifest(root);
  const file = join(out, `${name}-${version}-linux-${process.arch}`);
  writeFileSync(file, program);
  await inject(file, 'NODE_SEA_BLOB', readFileSync(blob), { sentinelFuse: FUSE });
  chmodSync(file, 0o755);
  for (const made of [tree, contents, main, blob, config]) rmSync(made, { recursive: true });
  return file;
}

function nodeLicence(node: string): string {
  const found = LICENCES.map((path) => join(dirname(node), path)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the licence of ${node} is not beside it (${LICENCES.join(', ')})`);
  return readFileSync(found, 'utf8');
}
