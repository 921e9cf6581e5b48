// SPDX-License-Identifier: MIT
/**
 * Makes test/kernels/VERSION.btf: of every kernel apt serves, the types that dist/bpf/vmalocktop.bpf.o is relocated by, so that a
 * unit test can work out its CO-RE relocations on kernels it does not boot. And test/kernels/kernels.json: what those BTFs were made
 * for, and the hooks each kernel lacks, which only its whole BTF shows.
 *
 *     node dist/scripts/kernel-btfs.js            the newest of every series in each flavour, and the oldest 6.12
 *     node dist/scripts/kernel-btfs.js --cached   only those whose whole BTF is cached already: no network
 *
 * Takes apt, dpkg-deb, tar, xz, zstd and bpftool (Debian: bpftool). Whole BTFs stay in ~/.cache/vmalocktop/btf, 6 MB each;
 * packages are some 2 GB and do not stay.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Btf, checkRelocations } from 'ebpf-ts';
import { byVersion, type KernelRow, type KernelTable, relocationNames } from '../test/kernels/table.js';

const OBJECT = fileURLToPath(new URL('../bpf/vmalocktop.bpf.o', import.meta.url));
const OUT = fileURLToPath(new URL('../../test/kernels/', import.meta.url));
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vmalocktop', 'btf');
const SUITES = readFileSync(new URL('../../test/vm/suites', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const FLAVOURS = ['', 'rt-', 'cloud-'];
const MAX_PACKAGE = 2 ** 28;

const run = (command: string, args: readonly string[], input?: Uint8Array, cwd?: string): Buffer =>
  execFileSync(command, args, {
    maxBuffer: 2 ** 29,
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(input && { input }),
    ...(cwd && { cwd }),
  });

/** apt of its own for one suite: the machine's lists and sources are left alone, its mirrors are used. */
function aptOf(suite: string, work: string): (command: string, ...args: string[]) => Buffer {
  const sites = run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages']).toString().split('\n');
  const site = sites.find(
    (name) => name.includes('debian') && name.includes('security') === suite.endsWith('-security'),
  );
  if (site === undefined) throw new Error(`apt knows no archive for ${suite}`);
  const state = join(work, suite);
  for (const name of ['lists', 'archives']) mkdirSync(join(state, name, 'partial'), { recursive: true });
  writeFileSync(
    join(state, 'sources.list'),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${site} ${suite} main\n`,
  );
  const options = [
    `Dir::Etc::SourceList=${state}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    `Dir::State::Lists=${state}/lists`,
    'Dir::State::status=/dev/null',
    `Dir::Cache=${state}`,
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
  ].flatMap((option) => ['-o', option]);
  const apt = (command: string, ...args: string[]): Buffer =>
    run(command, ['-qq', ...options, ...args], undefined, work);
  apt('apt-get', 'update');
  return apt;
}

const series = (version: string): string => version.split('.', 2).join('.');

/** bzImage: Documentation/arch/x86/boot.rst; the payload is vmlinux, compressed. */
function vmlinuxOf(image: Buffer): Buffer {
  const at = (image.readUInt8(0x1f1) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(at, at + image.readUInt32LE(0x24c));
  // The last four bytes are the size of what comes out, which xz would take for damage.
  if (payload.readUInt32BE(0) === 0xfd377a58) return run('xz', ['-dc', '--single-stream', '-q', '-Q'], payload);
  if (payload.readUInt32LE(0) === 0xfd2fb528) return run('zstd', ['-dc', '-q'], payload.subarray(0, -4));
  throw new Error(`vmlinux is packed in a way not known here: ${payload.subarray(0, 4).toString('hex')}`);
}

/** The section .BTF of an ELF file, by its header alone (Documentation/bpf/btf.rst). */
function btfOf(vmlinux: Buffer): Buffer {
  const magic = Buffer.from([0x9f, 0xeb, 1, 0, 24, 0, 0, 0]);
  for (let at = vmlinux.indexOf(magic); at >= 0; at = vmlinux.indexOf(magic, at + 1)) {
    const [typesAt, types, stringsAt, strings] = [8, 12, 16, 20].map((field) => vmlinux.readUInt32LE(at + field));
    const end = at + 24 + Math.max((typesAt ?? 0) + (types ?? 0), (stringsAt ?? 0) + (strings ?? 0));
    if ((types ?? 0) > 100_000 && end <= vmlinux.length) return vmlinux.subarray(at, end);
  }
  throw new Error('vmlinux has no BTF');
}

/** The versions that matter: of every series the newest, and the oldest of the oldest. */
function chosen(all: readonly string[]): string[] {
  const sorted = [...new Set(all)].sort(byVersion);
  return sorted.filter((version, i) => i === 0 || series(version) !== series(sorted[i + 1] ?? ''));
}

function fetchAll(work: string): void {
  const where = new Map<string, ReturnType<typeof aptOf>>();
  for (const suite of SUITES) {
    const apt = aptOf(suite, work);
    const names = apt('apt-cache', 'pkgnames', 'linux-image-').toString().split('\n');
    for (const name of names) {
      const version = /^linux-image-(\d+\.\d+\.\d+\+deb\d+)-amd64$/.exec(name)?.[1];
      if (version !== undefined) where.set(version, apt);
    }
  }
  for (const version of chosen([...where.keys()])) {
    for (const flavour of FLAVOURS) {
      const full = `${version}-${flavour}amd64`;
      const target = join(CACHE, `${full}.btf`);
      if (existsSync(target)) continue;
      const apt = where.get(version) as ReturnType<typeof aptOf>;
      const split = apt('apt-cache', 'pkgnames', `linux-binary-${full}`)
        .toString()
        .split('\n')
        .includes(`linux-binary-${full}`);
      process.stderr.write(`kernel-btfs: ${full}\n`);
      apt('apt-get', 'download', `${split ? 'linux-binary' : 'linux-image'}-${full}`);
      for (const deb of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
        const files = run('dpkg-deb', ['--fsys-tarfile', join(work, deb)]);
        const image = run('tar', ['-xO', '--wildcards', '*/vmlinuz*'], files);
        if (image.length > MAX_PACKAGE) throw new Error(`${deb}: a vmlinuz of ${image.length} bytes`);
        writeFileSync(`${target}.part`, btfOf(vmlinuxOf(image)));
        renameSync(`${target}.part`, target);
        rmSync(join(work, deb));
      }
    }
  }
}

const { values } = parseArgs({ options: { cached: { type: 'boolean' }, image: { type: 'string', multiple: true } } });
mkdirSync(CACHE, { recursive: true });
mkdirSync(OUT, { recursive: true });
const work = mkdtempSync(join(CACHE, '.work-'));
try {
  for (const image of values.image ?? []) {
    const version = /vmlinuz-(.+)$/.exec(image)?.[1] ?? '';
    writeFileSync(join(CACHE, `${version}.btf`), btfOf(vmlinuxOf(readFileSync(image))));
  }
  if (!values.cached && values.image === undefined) fetchAll(work);
  const rows: KernelRow[] = [];
  const versions = readdirSync(CACHE)
    .filter((name) => name.endsWith('.btf'))
    .map((name) => name.slice(0, -4));
  for (const version of versions.sort((a, b) => byVersion(a, b) || a.localeCompare(b))) {
    const whole = join(CACHE, `${version}.btf`);
    const small = join(OUT, `${version}.btf`);
    run('bpftool', ['gen', 'min_core_btf', whole, small, OBJECT]);
    const { missingTargets } = checkRelocations(OBJECT, Btf.fromFile(whole));
    rows.push({ kernel: version, lacks: [...new Set(missingTargets.map(({ target }) => target))].sort() });
  }
  const table: KernelTable = {
    relocations: relocationNames(checkRelocations(OBJECT, join(OUT, `${versions[0]}.btf`))),
    kernels: rows,
  };
  writeFileSync(join(OUT, 'kernels.json'), `${JSON.stringify(table, null, 1)}\n`);
  process.stderr.write(`kernel-btfs: ${rows.length} kernels\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
