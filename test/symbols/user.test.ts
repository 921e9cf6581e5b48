// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { parseMaps } from '../../src/symbols/process-maps.js';
import { Symbols } from '../../src/symbols/symbols.js';
import { patience } from '../pace.js';

/** Prints where things are, then waits for its input to end. */
const SOURCE = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>
__attribute__((noinline)) static int hidden(int x) { return x * 3; }
__attribute__((noinline)) int shown(int x) { return hidden(x) + 1; }
int main(void)
{
	void *jit = mmap(0, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("%p %p %p %p %p %p\\n", (void *)hidden, (void *)shown, dlsym(RTLD_NEXT, "malloc"), jit,
	       (void *)getauxval(AT_SYSINFO_EHDR), (void *)malloc);
	fflush(stdout);
	char c;
	return read(0, &c, 1) > 0 ? shown(c) : 0;
}
`;

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly hidden: bigint;
  readonly shown: bigint;
  readonly malloc: bigint;
  readonly jit: bigint;
  readonly vdso: bigint;
  /** In an executable that is not position-independent: its own entry of the procedure linkage table. */
  readonly plt: bigint;
}

describe('user symbols', () => {
  const dir = mkdtempSync(join(tmpdir(), 'symbols-test-'));
  const children: ChildProcess[] = [];
  const symbols = new Symbols();
  before(() => {
    const source = join(dir, 'probe.c');
    writeFileSync(source, SOURCE);
    const build = (name: string, ...flags: string[]): void => {
      execFileSync('cc', ['-O1', ...flags, '-o', join(dir, name), source, '-ldl']);
    };
    build('pie', '-fpie', '-pie');
    build('fixed', '-fno-pie', '-no-pie');
    build('stripped', '-fpie', '-pie', '-s');
    build('exporting', '-fpie', '-pie', '-s', '-rdynamic');
    build('deleted', '-fpie', '-pie');
  });
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  });

  async function run(name: string): Promise<Running> {
    const child = spawn(join(dir, name), { stdio: ['pipe', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const [hidden = 0n, shown = 0n, malloc = 0n, jit = 0n, vdso = 0n, plt = 0n] = line.split(' ').map(BigInt);
    return { child, pid: child.pid ?? 0, hidden, shown, malloc, jit, vdso, plt };
  }

  async function frames(pid: number, addresses: readonly bigint[]): Promise<string[]> {
    for (;;) {
      const found = symbols.user(pid, addresses);
      if (found !== null) return found;
      await symbols.settle(patience(5000));
    }
  }
  /** Each as the innermost frame. */
  async function each(pid: number, addresses: readonly bigint[]): Promise<string[]> {
    const found: string[] = [];
    for (const address of addresses) found.push(...(await frames(pid, [address])));
    return found;
  }

  it('asks for patience first, then names what was read in the background', async () => {
    const { pid, shown } = await run('pie');
    assert.equal(symbols.user(pid, [shown]), null);
    assert.deepEqual(symbols.user(pid, [shown], true), [`0x${shown.toString(16)}`]);
    await symbols.settle(patience(5000));
    assert.deepEqual(symbols.user(pid, [shown]), ['shown [pie]']);
  });

  it('needs the process no longer once its names were asked for', async () => {
    const { child, pid, malloc } = await run('pie');
    assert.equal(symbols.user(pid, [malloc]), null);
    await symbols.settle(patience(5000));
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.deepEqual(symbols.user(pid, [malloc]), ['malloc [libc.so.6]']);
  });

  it('reads on where this process keeps what that takes, and nothing else', {
    skip: process.getuid?.() !== 0 && 'not root',
  }, () => {
    // In a process of its own: capabilities do not come back.
    const script = `
      import { spawn } from 'node:child_process';
      import { once } from 'node:events';
      import { createInterface } from 'node:readline';
      import { Capability, dropCapabilities, privilegedThreads } from '${import.meta.resolve('ebpf-ts')}';
      import { Symbols } from '${new URL('../../src/symbols/symbols.js', import.meta.url)}';
      const child = spawn(process.argv[1], { uid: 65534, gid: 65534, stdio: ['pipe', 'pipe', 'inherit'] });
      const [line] = await once(createInterface(child.stdout), 'line');
      const symbols = new Symbols();
      symbols.prime();
      const keep = [Capability.SysPtrace, Capability.DacReadSearch];
      dropCapabilities({ keep });
      const shown = [BigInt(line.split(' ')[1])];
      let names = null;
      while ((names = symbols.user(child.pid, shown)) === null) await symbols.settle(60_000);
      process.stdout.write(privilegedThreads(keep).length + ' ' + names);
      child.stdin.end();`;
    chmodSync(dir, 0o755);
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', script, join(dir, 'pie')], {
      encoding: 'utf8',
    });
    assert.equal(out, '0 shown [pie]');
  });

  for (const name of ['pie', 'fixed']) {
    it(`sees through the load address: ${name}`, async () => {
      const { pid, hidden, shown, malloc } = await run(name);
      const [own, more, libc] = await each(pid, [hidden, shown + 2n, malloc + 4n]);
      assert.deepEqual([own, more], [`hidden [${name}]`, `shown+0x2 [${name}]`]);
      assert.match(libc ?? '', /^malloc\+0x4 \[libc\.so\.6\]$/);
    });
  }

  it('does not take a label without a size for what lies in the next section', async () => {
    const { pid, plt } = await run('fixed');
    assert.deepEqual(await each(pid, [plt]), [`fixed+0x${plt.toString(16)}`]);
  });

  it('gives a stripped file its name and the address within, as nm of the same build counts', async () => {
    const { pid, hidden } = await run('stripped');
    const nm = execFileSync('nm', [join(dir, 'pie')], { encoding: 'utf8' });
    const address = BigInt(`0x${/^([0-9a-f]+) t hidden$/m.exec(nm)?.[1]}`);
    assert.deepEqual(await each(pid, [hidden + 1n]), [`stripped+0x${(address + 1n).toString(16)}`]);
  });

  it('falls back to the exported names of a stripped file', async () => {
    const { pid, shown, hidden } = await run('exporting');
    const [out, inner] = await each(pid, [shown, hidden]);
    assert.equal(out, 'shown [exporting]');
    assert.match(inner ?? '', /^exporting\+0x[0-9a-f]+$/);
  });

  it('reads a file that was deleted', async () => {
    const { pid, hidden } = await run('deleted');
    rmSync(join(dir, 'deleted'));
    assert.ok(parseMaps(readFileSync(`/proc/${pid}/maps`, 'utf8')).some((mapping) => mapping.deleted));
    assert.deepEqual(await each(pid, [hidden]), ['hidden [deleted]']);
  });

  it('without the right to map_files takes the path, and only for the file that is mapped', async () => {
    const proc = join(dir, 'proc');
    const { ino } = statSync(join(dir, 'pie'));
    const nm = execFileSync('nm', [join(dir, 'pie')], { encoding: 'utf8' });
    const [, address = '', kind = ''] = /^([0-9a-f]+) (T) shown$/m.exec(nm) ?? [];
    assert.equal(kind, 'T');
    const readelf = execFileSync('readelf', ['-lW', join(dir, 'pie')], { encoding: 'utf8' });
    const [, offset = '', virtual = ''] = /LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) .* R E /.exec(readelf) ?? [];
    for (const [pid, inode, root] of [
      [7, ino, '/'],
      [8, ino, '/nowhere'], // the process is gone: the path as we see it
      [9, ino + 1, '/'],
    ] as const) {
      mkdirSync(join(proc, `${pid}`), { recursive: true });
      symlinkSync(root, join(proc, `${pid}/root`));
      const line = `7f0000000000-7f0000010000 r-xp ${offset} 08:01 ${inode}   ${join(dir, 'pie')}\n`;
      writeFileSync(join(proc, `${pid}/maps`), line);
    }
    const other = new Symbols(proc);
    const where = 0x7f0000000000n + BigInt(`0x${address}`) - BigInt(`0x${virtual}`);
    for (const pid of [7, 8, 9]) assert.equal(other.user(pid, [where]), null);
    await other.settle(patience(5000));
    assert.deepEqual(other.user(7, [where]), ['shown [pie]']);
    assert.deepEqual(other.user(8, [where]), ['shown [pie]']);
    const inFile = BigInt(`0x${address}`) - BigInt(`0x${virtual}`) + BigInt(`0x${offset}`);
    assert.deepEqual(other.user(9, [where]), [`pie@0x${inFile.toString(16)}`]);
  });

  it('says what has no file: code made at run time, an address outside all mappings', async () => {
    const { pid, jit } = await run('pie');
    assert.deepEqual(await each(pid, [jit + 0x123n, 0x1000n, 0xffff_ffff_ffff_fff0n]), [
      '[anon]+0x123',
      '0x1000',
      '0xfffffffffffffff0',
    ]);
  });

  it('names functions of the vdso', async () => {
    const { pid, vdso } = await run('pie');
    // Where they lie is up to the kernel's build: one look every 64 bytes of its first page meets some.
    const addresses = Array.from({ length: 64 }, (_, i) => vdso + BigInt(i * 64));
    const found = await each(pid, addresses);
    assert.ok(
      found.some((frame) => /^(__kernel_)?clock_gettime(\+0x[0-9a-f]+)? \[vdso\]$/.test(frame)),
      found.join(' '),
    );
  });

  it('looks callers up where the call was', async () => {
    const { pid, hidden, shown } = await run('pie');
    const [first, second] = await frames(pid, [hidden, hidden]);
    assert.equal(first, 'hidden [pie]');
    assert.notEqual(second, first);
    const [, caller] = await frames(pid, [hidden, shown + 1n]);
    assert.equal(caller, 'shown+0x1 [pie]');
  });

  it('keeps the names of a process that has ended, and says nothing of one it never saw', async () => {
    const { child, pid, shown } = await run('pie');
    assert.deepEqual(await frames(pid, [shown]), ['shown [pie]']);
    child.stdin?.end();
    await once(child, 'exit');
    assert.deepEqual(await frames(pid, [shown]), ['shown [pie]']);
    const before = symbols.unreadable;
    assert.deepEqual(await frames(2 ** 22 + 1, [0x401000n]), ['0x401000']);
    assert.equal(symbols.unreadable, before + 1);
  });

  it('names our own interpreter', async () => {
    const own = parseMaps(readFileSync('/proc/self/maps', 'utf8')).find((m) => m.path === process.execPath);
    assert.ok(own);
    const middle = BigInt(Math.floor((own.start + own.end) / 2));
    const [frame] = await frames(process.pid, [middle]);
    assert.match(frame ?? '', new RegExp(`(?:\\[${basename(own.path)}\\]|^${basename(own.path)}\\+0x[0-9a-f]+)$`));
  });
});
