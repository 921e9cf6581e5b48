// SPDX-License-Identifier: MIT
/** The Debian package, of the bundle and what is the system's: man pages, completions, unit, users, directories. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SHELLS } from '../../cli/commands/completion/index.js';
import { commandTree } from '../../cli/common/tree.js';
import { buildProgram } from '../../cli/program.js';
import { copyParts, readManifest } from './bundle.js';
import { copyKoffi } from './koffi.js';
import { manPages } from './man.js';

const NAME = 'vmalocktop';
const LIB = `usr/lib/${NAME}`;
const DOC = `usr/share/doc/${NAME}`;
const COMPLETIONS: Readonly<Record<string, string>> = {
  bash: `usr/share/bash-completion/completions/${NAME}`,
  zsh: `usr/share/zsh/vendor-completions/_${NAME}`,
  fish: `usr/share/fish/vendor_completions.d/${NAME}.fish`,
};

export interface DebOptions {
  /** What `bundle` made. */
  readonly bundle: string;
  readonly out: string;
  /** Time of every file, s since the epoch. */
  readonly epoch: number;
  readonly architecture: DebArchitecture;
  /** Who answers for the package: `Name <address>`. */
  readonly maintainer: string;
  /** For dpkg-deb: fast ones for tests. */
  readonly compression: readonly string[];
}

/** Debian's words for what we run on, and Node's for the same. */
export const DEB_ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' } as const;
export type DebArchitecture = keyof typeof DEB_ARCHITECTURES;

/** Of this machine. */
export function debArchitecture(): DebArchitecture {
  const own = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  if (!(own in DEB_ARCHITECTURES)) throw new Error(`no package is made for ${own}, only for amd64 and arm64`);
  return own as DebArchitecture;
}

/** Writes the package and returns its path. */
export function makeDeb(root: string, options: DebOptions): string {
  const { version } = readManifest(root);
  const tree = join(options.out, 'root');
  rmSync(tree, { recursive: true, force: true });
  const write = (path: string, text: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
    chmodSync(join(tree, path), mode);
  };
  const gzip = (path: string, text: string): void => write(`${path}.gz`, gzipSync(text, { level: 9 }));
  const date = new Date(options.epoch * 1000);

  copyParts(options.bundle, join(tree, LIB), ['package.json', 'dist', 'bpf', 'share', 'node_modules']);
  rmSync(join(tree, LIB, 'share/systemd'), { recursive: true });
  copyKoffi(root, join(tree, LIB), DEB_ARCHITECTURES[options.architecture]);
  setInterpreter(join(tree, LIB, 'dist/cli/main.js'));
  mkdirSync(join(tree, 'usr/bin'));
  symlinkSync(`../lib/${NAME}/dist/cli/main.js`, join(tree, `usr/bin/${NAME}`));

  const share = (file: string): string => readFileSync(join(root, 'share/systemd', file), 'utf8');
  write(`usr/lib/systemd/system/${NAME}.service`, share(`${NAME}.service`));
  write(`usr/lib/sysusers.d/${NAME}.conf`, share(`${NAME}.sysusers`));
  write(`usr/lib/tmpfiles.d/${NAME}.conf`, share(`${NAME}.tmpfiles`));
  write(`etc/${NAME}/daemon.toml`, share('daemon.toml'));

  const commands = buildProgram([], () => {});
  const pages = commandTree(commands);
  for (const [file, text] of manPages(pages, version, date.toISOString().slice(0, 10)))
    gzip(`usr/share/man/man8/${file}`, text);
  for (const [shell, path] of Object.entries(COMPLETIONS)) write(path, SHELLS[shell]?.(NAME, pages.slice(1)) ?? '');

  cpSync(join(options.bundle, 'docs'), join(tree, DOC), { recursive: true });
  for (const file of ['README.md']) cpSync(join(options.bundle, file), join(tree, DOC, file));
  copyParts(options.bundle, join(tree, DOC), ['sbom.json']);
  write(`${DOC}/copyright`, copyright(options.bundle));
  write(`usr/share/lintian/overrides/${NAME}`, OVERRIDES);
  gzip(`${DOC}/changelog`, changelog(version, date, options.maintainer));
  gzip(`${DOC}/NEWS`, readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  writeControl(root, tree, version, options, write);
  settle(tree, options.epoch);

  const deb = join(options.out, `${NAME}_${version}_${options.architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', ...options.compression, '--build', tree, deb], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(options.epoch) },
  });
  return deb;
}

/** The interpreter is the system's: not one that happens to be first in PATH. */
function setInterpreter(main: string): void {
  writeFileSync(main, readFileSync(main, 'utf8').replace('#!/usr/bin/env node', '#!/usr/bin/node'));
  chmodSync(main, 0o755);
}

function copyright(bundle: string): string {
  const read = (file: string): string => readFileSync(join(bundle, 'LICENSES', file), 'utf8').trimEnd();
  return `${read('MIT.txt')}

The BPF programs (bpf/*.c) are under the GNU General Public License, version 2 alone:
on Debian systems /usr/share/common-licenses/GPL-2 has its text.

Libraries in this package:

${read('third-party.txt').replace(APACHE, 'On Debian systems /usr/share/common-licenses/Apache-2.0 has the text.')}
`;
}

/** The whole text of a licence that every Debian system has. */
const APACHE = / *Apache License\n +Version 2\.0[\s\S]*?(?=\n={78}\n|$)/g;

/** What lintian takes for a mistake and is none, and why. */
const OVERRIDES = `# A BPF object is for the kernel's machine, not for the CPU.
${NAME}: binary-from-other-architecture [${LIB}/dist/bpf/vmalocktop.bpf.o]
${NAME}: binary-from-other-architecture [${LIB}/dist/bpf/vmalocktop.arm64.bpf.o]
# daemon-reload alone, as debhelper's own snippets do; deb-systemd-invoke has no word for it.
${NAME}: maintainer-script-calls-systemctl [postinst:*]
${NAME}: maintainer-script-calls-systemctl [postrm:*]
`;

function changelog(version: string, date: Date, maintainer: string): string {
  const stamp = date.toUTCString().replace('GMT', '+0000');
  return `${NAME} (${version}) unstable; urgency=medium

  * What changed is in NEWS.

 -- ${maintainer}  ${stamp}
`;
}

function writeControl(
  root: string,
  tree: string,
  version: string,
  { architecture, maintainer }: DebOptions,
  write: (path: string, text: string, mode?: number) => void,
): void {
  const kib = Number(execFileSync('du', ['-sk', '--apparent-size', tree], { encoding: 'utf8' }).split('\t')[0]);
  write(
    'DEBIAN/control',
    `Package: ${NAME}
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${kib}
Depends: nodejs (>= 20.19), libbpf1 (>= 1:1.0), libc6, libstdc++6
Recommends: systemd
Section: utils
Priority: optional
Description: what page faults do under Linux's per-VMA locks
 Shows which page faults succeed under the lock of their VMA, which fall back to
 mmap_lock, why, and what that costs them: live in a terminal, as a summary, as
 metrics and alerts, and from recordings.
 .
 It attaches BPF programs to the kernel, which takes root or CAP_BPF with
 CAP_PERFMON. Replaying a recording takes no privilege.
`,
  );
  write('DEBIAN/conffiles', `/etc/${NAME}/daemon.toml\n`);
  for (const script of ['postinst', 'prerm', 'postrm'])
    write(`DEBIAN/${script}`, readFileSync(join(root, 'scripts/package/debian', script), 'utf8'), 0o755);
  const files = execFileSync('find', ['.', '-type', 'f', '-not', '-path', './DEBIAN/*', '-printf', '%P\\0'], {
    cwd: tree,
  });
  const sums = execFileSync('xargs', ['-0', 'md5sum', '--'], { cwd: tree, input: files, encoding: 'utf8' });
  write('DEBIAN/md5sums', sums);
}

/** One time for every file, and modes that neither a package nor the umask of the builder chose. */
function settle(tree: string, epoch: number): void {
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    if (!entry.isFile()) continue;
    const runs = path.endsWith('/dist/cli/main.js') || /\/DEBIAN\/p[a-z]+$/.test(path);
    chmodSync(path, runs ? 0o755 : 0o644);
    utimesSync(path, epoch, epoch);
  }
}
