// SPDX-License-Identifier: MIT
/** What is given up is given up by every thread. In processes of their own: nothing of it comes back. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CALLS_CODE } from '../src/arch.js';

const dir = mkdtempSync(join(tmpdir(), 'ebpf-ts-privileges-'));
after(() => rmSync(dir, { recursive: true }));
const skip = process.getuid?.() !== 0 && 'not root: there is nothing to give up';

/** What `/proc/self/task` says afterwards: one line of Name, Uid, Groups, Cap*, NoNewPrivs a thread. */
function run(surrender: string, before = '', below: readonly string[] = []): Record<string, string>[] {
  const script = `
    import { lookup } from 'node:dns/promises';
    import { readdirSync, readFileSync } from 'node:fs';
    import { readFile } from 'node:fs/promises';
    import { Worker } from 'node:worker_threads';
    import { dropCapabilities } from '${import.meta.resolve('../src/index.js')}';
    const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
    await new Promise((resolve) => worker.once('online', resolve));
    await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/self/status')));
    ${before}
    dropCapabilities(${surrender});
    // Threads that start later, and a signal glibc's own handler takes.
    await Promise.all(Array.from({ length: 8 }, () => readFile('/proc/self/status')));
    try { process.seteuid(process.geteuid()); } catch {}
    const all = readdirSync('/proc/self/task').map((tid) => Object.fromEntries(
      readFileSync('/proc/self/task/' + tid + '/status', 'utf8').split('\\n').map((line) => line.split(/:\\s*/, 2))));
    console.log(JSON.stringify(all));
    await worker.terminate();`;
  const [program = '', ...args] = [...below, process.execPath, '--input-type=module', '-e', script];
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** In a PID namespace of its own, below that of the /proc it sees: its threads have other numbers there. */
const BELOW = ['unshare', '--pid', '--fork'];
const noNamespace =
  spawnSync('unshare', [...BELOW.slice(1), 'true']).status !== 0 && 'no PID namespace can be made here';

for (const [where, below, missing] of [
  ['', [], false],
  [', below the PID namespace of /proc', BELOW, noNamespace],
] as const)
  test(`no thread keeps a capability, and none may gain one${where}`, { skip: skip || missing }, () => {
    const threads = run('', '', below);
    assert.ok(threads.length > 6, `${threads.length} threads`);
    for (const thread of threads) {
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.match(thread[set] ?? '', /^0+$/, thread.Name);
      assert.equal(thread.NoNewPrivs, '1', thread.Name);
      assert.match(thread.Uid ?? '', /^0\s0\s0\s0/);
    }
  });

test('another user, with what is to be kept and nothing else', { skip }, () => {
  const threads = run('{ keep: [5], become: { uid: 4711, gid: 4712 } }');
  assert.ok(threads.length > 6, `${threads.length} threads`);
  for (const thread of threads) {
    assert.match(thread.Uid ?? '', /^4711\s4711\s4711\s4711/, thread.Name);
    assert.match(thread.Gid ?? '', /^4712\s4712\s4712\s4712/, thread.Name);
    assert.equal(thread.Groups?.trim(), '4712');
    assert.deepEqual([thread.CapPrm, thread.CapEff], Array(2).fill('0000000000000020'), thread.Name);
    assert.match(`${thread.CapInh}${thread.CapAmb}`, /^0+$/);
    assert.equal(thread.NoNewPrivs, '1');
  }
});

test('what was not held is not gained by being kept', { skip }, () => {
  for (const thread of run('{ keep: [5] }', 'dropCapabilities();')) assert.match(thread.CapPrm ?? '', /^0+$/);
});

for (const arch of ['x64', 'arm64']) {
  test(`the handler is what an assembler makes of its source: ${arch}`, () => {
    const source = fileURLToPath(new URL(`../../test/calls-${arch}.s`, import.meta.url));
    const [object, code] = [join(dir, `${arch}.o`), join(dir, `${arch}.bin`)];
    const target = arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
    execFileSync('clang', [`--target=${target}`, '-x', 'assembler-with-cpp', '-c', source, '-o', object]);
    execFileSync('llvm-objcopy', ['-O', 'binary', '-j', '.text', object, code]);
    const { text = '', restorer = 0 } = CALLS_CODE[arch] ?? {};
    assert.equal(readFileSync(code, 'hex'), text);
    // Where the handler returns to: the first instruction behind `ret`.
    assert.ok(text.slice(0, restorer * 2).endsWith(arch === 'x64' ? 'c3' : 'c0035fd6'));
  });
}
