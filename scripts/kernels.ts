// SPDX-License-Identifier: MIT
/**
 * docs/kernels.md: what was seen on which kernel. Boots each KERNEL (as get-kernels takes it) with the tests of test/vm and
 * keeps what they said in test/kernels/boots.json; the page has all that was ever kept, and what CO-RE says of kernels that
 * nobody booted.
 *
 *     node dist/scripts/kernels.js [--tests gates,causes,check] [--cpus N] KERNEL...
 *     node dist/scripts/kernels.js                                 writes the page again from what is kept
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BOOTED, type Boot, boots, FETCHED, kernelsPage, PAGE } from '../test/kernels/boots.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GATES = 'gate-8 gate-128 gate-500 uffd-gate-32';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { tests: { type: 'string', default: Object.keys(BOOTED).join() }, cpus: { type: 'string', default: '2' } },
});

const today = (): string => new Date().toISOString().slice(0, 10);

/** Runs one test file on one kernel; its diagnostics are what is worth knowing of it. */
function boot(kernel: string, test: string, cpus: number): Boot {
  const file = BOOTED[test];
  if (file === undefined) throw new Error(`--tests: ${test} is none of ${Object.keys(BOOTED).join(', ')}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', `dist/test/vm/${file}.test.js`],
    {
      cwd: ROOT,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { ...process.env, VM_KERNELS: kernel, VM_GATES: GATES, VM_SMP: String(cpus), NODE_TEST_CONTEXT: undefined },
    },
  );
  const said = [...stdout.matchAll(/^ *# ((?:uffd-)?gate-\d+: .*|held: .*|\d+ user faults.*|.*\bmissed\b.*)$/gm)];
  const failed = [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, name]) => `failed: ${name}`);
  if (status !== 0) process.stderr.write(`${stdout}${stderr}`);
  return {
    kernel,
    test,
    cpus,
    date: today(),
    passed: status === 0,
    said: [...new Set([...failed, ...said.map(([, line]) => line ?? '')])],
  };
}

let kept = boots();
/** Keeps what was seen now in place of what was seen before: a kernel that boots is one that could be fetched. */
function keep(row: Boot): void {
  const replaced = (old: Boot): boolean =>
    old.kernel === row.kernel && (old.test === FETCHED || (old.test === row.test && old.cpus === row.cpus));
  kept = [...kept.filter((old) => !replaced(old)), row];
  writeFileSync(`${ROOT}test/kernels/boots.json`, `${JSON.stringify(kept, null, 1)}\n`);
}

for (const name of positionals) {
  const { status, stdout, stderr } = spawnSync('test/vm/get-kernels', [name], { cwd: ROOT, encoding: 'utf8' });
  const kernel = stdout.trim();
  if (status !== 0) {
    process.stderr.write(stderr);
    const reason = /^get-kernels: (\S+ serves no modules for it)$/m.exec(stderr)?.[1];
    if (reason === undefined) process.exit(1);
    keep({ kernel: name, test: FETCHED, cpus: 0, date: today(), passed: false, said: [reason] });
    continue;
  }
  for (const test of values.tests.split(',')) {
    const row = boot(kernel, test, Number(values.cpus));
    process.stdout.write(`${kernel} ${test}: ${row.passed ? 'passed' : 'FAILED'}\n`);
    keep(row);
  }
}
const page = kernelsPage(kept);
if (readFileSync(PAGE, { encoding: 'utf8', flag: 'a+' }) !== page) writeFileSync(PAGE, page);
