// SPDX-License-Identifier: MIT
/**
 * The package as it is installed: our modules and the libraries they use in a few files that esbuild makes, and beside them
 * in node_modules only what cannot be bundled. blessed requires its widgets by computed names, zstd and the demanglers are read as WebAssembly,
 * and koffi is native code, which npm fetches for the machine it installs on.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { notices, type Shipped } from './notices.js';

/** Packages that stay apart, and what of each is used at run time. */
const APART: Readonly<Record<string, readonly string[]>> = {
  blessed: [
    'package.json',
    'LICENSE',
    'lib',
    'vendor/tng.js',
    'usr/linux',
    'usr/xterm',
    'usr/xterm.termcap',
    'usr/xterm-256color',
  ],
  '@bokuweb/zstd-wasm': ['package.json', 'dist/common'],
  'gecko-profiler-demangle': ['package.json', 'LICENSE-MIT', 'index_bg.js', 'index_bg.wasm'],
};

/** Of lodash the line chart of blessed-contrib calls one function. To load all of it took 30 ms of the 450 before a first frame. */
const PART_OF_LODASH: Plugin = {
  name: 'part-of-lodash',
  setup({ initialOptions, onResolve, onLoad }) {
    const namespace = 'part-of-lodash';
    onResolve({ filter: /^lodash$/ }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /^/, namespace }, () => ({
      contents: "exports.max = require('lodash/max');",
      resolveDir: initialOptions.absWorkingDir ?? '.',
    }));
  },
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: object;
  readonly os: readonly string[];
  readonly bin: object;
}

export function readManifest(root: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
}

/** Copies files and folders of `from`, without maps, declarations and links. */
export function copyParts(from: string, to: string, parts: readonly string[]): void {
  for (const part of parts) {
    mkdirSync(dirname(join(to, part)), { recursive: true });
    cpSync(join(from, part), join(to, part), {
      recursive: true,
      dereference: true,
      filter: (path) => !/\.map$|\.d\.ts$/.test(path),
    });
  }
}

/** Writes the package into `out`, which is emptied. Resolves to what is in it that is not ours. */
export async function bundle(root: string, out: string): Promise<readonly Shipped[]> {
  rmSync(out, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: 'dist/cli/main.js', 'http-thread': 'dist/src/metrics/http-thread.js' },
    outdir: join(out, 'dist/cli'),
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['koffi', ...Object.keys(APART)],
    plugins: [PART_OF_LODASH],
    // CommonJS packages in it require modules of Node and blessed.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const bundled = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs))
    for (const path of Object.keys(inputs)) {
      const name = /^(node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
      if (name !== undefined) bundled.add(name);
    }
  const shipped = notices(root, [...bundled, ...Object.keys(APART).map((name) => `node_modules/${name}`)]);
  for (const [name, parts] of Object.entries(APART))
    copyParts(join(root, 'node_modules', name), join(out, 'node_modules', name), parts);
  const objects = ['dist/bpf/vmalocktop.bpf.o', 'dist/bpf/vmalocktop.arm64.bpf.o'];
  copyParts(root, out, [...objects, 'bpf', 'docs', 'share', 'LICENSES', 'README.md', 'CHANGELOG.md']);
  writeFileSync(join(out, 'LICENSES/third-party.txt'), shipped.map(({ text }) => text).join('\n'));
  writeManifest(readManifest(root), out);
  return shipped;
}

function writeManifest(own: Manifest, out: string): void {
  const { name, version, description, license, engines, os, bin, dependencies } = own;
  const kept = ['koffi', ...Object.keys(APART)];
  const manifest = {
    ...{ name, version, description, license, type: 'module', engines, os, bin },
    exports: { './package.json': './package.json' },
    dependencies: Object.fromEntries(kept.map((dependency) => [dependency, dependencies[dependency]])),
    bundleDependencies: Object.keys(APART),
  };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}
