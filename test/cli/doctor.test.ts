// SPDX-License-Identifier: MIT
/** What doctor says of a host that can be observed, of its programs, and of this one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorText } from '../../cli/commands/doctor/text.js';
import type { Diagnosis, RefusedProgram } from '../../src/doctor/diagnosis.js';
import { explain } from '../../src/doctor/doctor.js';
import { HOOKS, planRelease } from '../../src/live/hooks.js';
import { parseMemlock, showsAddresses } from '../../src/live/host.js';
import { hookOf } from '../../src/live/program-names.js';
import { hook, NOT_LISTED, names, PERMITTED, REFUSED, ROOT, without } from './doctor-facts.js';
import { run } from './run.js';

test('a host where all is well', () => {
  const diagnosis = explain(ROOT, PERMITTED);
  assert.equal(diagnosis.canObserve, true);
  assert.match(diagnosis.reason, /^kernel 6\.12\.95/);
  assert.ok(diagnosis.hooks.every((row) => row.state === 'yes'));
  assert.equal(diagnosis.release.target, 'up_read');
});

test('what a user with CAP_BPF and CAP_PERFMON alone will not see is said; root is told nothing', () => {
  assert.deepEqual(explain(ROOT, PERMITTED).unseen, []);
  const pair = { ...ROOT, capEff: (1n << 38n) | (1n << 39n), symbolAddresses: false, traceable: NOT_LISTED };
  const diagnosis = explain(pair, PERMITTED);
  assert.equal(diagnosis.canObserve, true);
  for (const lack of [/^run times of the probes/, /^addresses of kernel functions/, /can be traced/, /user stacks/])
    assert.ok(
      diagnosis.unseen.some((sentence) => lack.test(sentence)),
      String(lack),
    );
  assert.match(doctorText(diagnosis), /What this user will not see\n {2}- run times/);
  assert.deepEqual(explain(pair, REFUSED).unseen, [], 'where nothing is seen, that is all there is to say');
});

test('whether the program can stay in memory is said, and is no obstacle', () => {
  const check = (capEff: bigint, memlock: number | null): { state?: string; detail?: string } =>
    explain({ ...ROOT, capEff, memlock }, PERMITTED).checks.find(({ id }) => id === 'stays-in-memory') ?? {};
  const capabilities = (1n << 38n) | (1n << 39n);
  assert.equal(check(0x1ffffffffffn, 8 * 2 ** 20).state, 'yes');
  assert.match(check(capabilities, 8 * 2 ** 20).detail ?? '', /paged out.*; the OOM killer treats it like any other/);
  assert.match(check(capabilities, Number.POSITIVE_INFINITY).detail ?? '', /^the OOM killer/);
  assert.equal(check(capabilities, null).state, 'unknown');
  assert.equal(explain({ ...ROOT, capEff: capabilities }, PERMITTED).canObserve, true);
  assert.equal(
    parseMemlock('Max locked memory         8388608              8388608              bytes     \n'),
    8 * 2 ** 20,
  );
  assert.equal(
    parseMemlock('Max locked memory         unlimited            unlimited            bytes     \n'),
    Infinity,
  );
  assert.equal(parseMemlock(''), null);
});

test('hidden addresses of /proc/kallsyms are told from shown ones', () => {
  assert.equal(showsAddresses('0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n'), false);
  assert.equal(showsAddresses('0000000000001000 A irq_stack\nffffffff81000000 T _text\n'), true);
  assert.equal(showsAddresses('0000000000001000 A irq_stack\n0000000000000000 T _text\n'), false);
  assert.equal(showsAddresses(null), null);
});

test('CAP_BPF with CAP_PERFMON do without CAP_SYS_ADMIN; one of them does not', () => {
  const state = (capEff: bigint): string | undefined =>
    explain({ ...ROOT, capEff }, REFUSED).checks.find(({ id }) => id === 'capabilities')?.state;
  assert.equal(state((1n << 38n) | (1n << 39n)), 'yes');
  assert.equal(state(1n << 39n), 'no');
  assert.equal(state(1n << 38n), 'no');
});

test('an optional hook degrades alone and is named', () => {
  const diagnosis = explain({ ...ROOT, ...without('handle_userfault') }, PERMITTED);
  assert.equal(diagnosis.canObserve, true);
  assert.equal(hook(diagnosis, 'handle_userfault'), 'no');
  assert.match(diagnosis.reason, /without handle_userfault/);
});

test('a function that is there and not listed cannot be traced; without a list it is unknown', () => {
  const traceable = new Set(names);
  traceable.delete('io_schedule');
  assert.equal(
    hook(explain({ ...ROOT, traceable: { names: traceable, error: null } }, PERMITTED), 'io_schedule'),
    'no',
  );
  assert.equal(hook(explain({ ...ROOT, traceable: NOT_LISTED }, PERMITTED), 'io_schedule'), 'unknown');
});

test('the release plan follows the lock: rwsem until 6.14, reference count after', () => {
  assert.equal(planRelease(6, 4, null).target, 'up_read');
  assert.equal(planRelease(6, 14, new Set(['up_read'])).target, 'up_read');
  assert.equal(planRelease(6, 14, new Set()).mode, 'derived');
  assert.equal(planRelease(6, 15, new Set(['up_read'])).mode, 'derived');
  assert.equal(planRelease(7, 3, null).mode, 'derived');
  // What no session does is not promised.
  const traced = planRelease(7, 3, new Set(['vma_end_read']));
  assert.equal(traced.mode, 'derived');
  assert.match(traced.why, /vma_end_read could be traced/);
  assert.equal(planRelease(6, 12, new Set(['vma_end_read', 'up_read'])).target, 'up_read');
});

test('this host: text, --json and --quiet give one verdict, and the exit code says it', async () => {
  const [text, json, quiet] = await Promise.all([
    run(['doctor']),
    run(['doctor', '--json']),
    run(['doctor', '--quiet']),
  ]);
  const diagnosis = JSON.parse(json.stdout) as Diagnosis;
  assert.equal(diagnosis.v, 1);
  assert.equal(json.code, diagnosis.canObserve ? 0 : 3);
  assert.equal(text.code, json.code);
  assert.equal(quiet.code, json.code);
  assert.equal(quiet.stdout.split('\n').length, 2);
  assert.ok(text.stdout.includes(quiet.stdout.trim()));
  assert.equal(diagnosis.hooks.length, HOOKS.length);
});

const LOG = Array.from({ length: 40 }, (_, i) => `${i}: (bf) r0 = r5`).join('\n');
const refusedProgram = (program: string, required: boolean): RefusedProgram => ({
  program,
  hook: hookOf(program),
  required,
  why: `the verifier refused ${program}: R5 !read_ok`,
  remedy: "read the verifier's log",
  lastLines: ['38: (bf) r0 = r5', 'R5 !read_ok'],
  log: LOG,
});

test('a refused optional program loses its hook, and what the verifier said last is shown', () => {
  const programs = { loaded: 50, refused: [refusedProgram('fexit_hugetlb_fault', false)] };
  const diagnosis = explain(ROOT, PERMITTED, programs);
  assert.equal(diagnosis.canObserve, true);
  assert.equal(hook(diagnosis, 'hugetlb_fault'), 'no');
  assert.match(diagnosis.reason, /without hugetlb_fault/);
  const text = doctorText(diagnosis);
  assert.match(text, /✗ programs +50 are taken, 1 refused: fexit_hugetlb_fault/);
  assert.match(text, /lost with it: hugetlb_fault \(optional\)\n +38: \(bf\) r0 = r5\n +R5 !read_ok\n +→ read/);
  assert.doesNotMatch(text, /^ +12: \(bf\)/m);
  for (const line of LOG.split('\n')) assert.ok(doctorText(diagnosis, true).includes(`      ${line}\n`), line);
});

test('cannot observe where a required program is refused', () => {
  const diagnosis = explain(ROOT, PERMITTED, { loaded: 50, refused: [refusedProgram('fexit_handle_mm_fault', true)] });
  assert.equal(diagnosis.canObserve, false);
  assert.match(diagnosis.reason, /refuses fexit_handle_mm_fault, which every session needs: .*R5 !read_ok/);
  assert.match(diagnosis.remedy, /--verbose/);
});

test('where all are taken, or none was tried, that is said', () => {
  const detail = (programs: Parameters<typeof explain>[2]): string | undefined =>
    explain(ROOT, PERMITTED, programs).checks.find(({ id }) => id === 'programs')?.detail;
  assert.equal(detail({ loaded: 71, refused: [] }), 'all 71 that a session may load are taken');
  assert.equal(detail(null), 'not tried');
});
