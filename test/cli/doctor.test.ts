// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorText } from '../../cli/commands/doctor/text.js';
import type { BpfProbe, Diagnosis, RefusedProgram } from '../../src/doctor/diagnosis.js';
import { explain } from '../../src/doctor/doctor.js';
import { HOOKS, planRelease } from '../../src/live/hooks.js';
import { type HostFacts, parseKernelRelease, parseMemlock, showsAddresses } from '../../src/live/host.js';
import { hookOf } from '../../src/live/program-names.js';
import { run } from './run.js';

const names = new Set(HOOKS.flatMap(({ target }) => [target, `__traceiter_${target}`]));
const ROOT: HostFacts = {
  kernel: parseKernelRelease('6.12.95+deb12-amd64'),
  arch: 'x64',
  btf: true,
  capEff: 0x1ffffffffffn,
  initialUserNamespace: true,
  namespaces: { pid: { initial: true }, monotonicAheadNs: 0n },
  seccomp: 0,
  lockdown: 'none',
  lsm: ['lockdown', 'capability'],
  memlock: 8 * 2 ** 20,
  unprivilegedBpfDisabled: 2,
  preemption: 'voluntary',
  traceable: { names: new Set([...names, 'up_read']), error: null },
  symbols: { names: new Set([...names, 'up_read']), error: null },
  symbolAddresses: true,
};
const PERMITTED: BpfProbe = { state: 'yes', errno: '', libbpf: '1.1', detail: '', remedy: '' };
const REFUSED: BpfProbe = { ...PERMITTED, state: 'no', errno: 'EPERM' };
const NOT_LISTED: HostFacts['traceable'] = { names: null, error: 'ENOENT' };

function without(...gone: readonly string[]): Partial<HostFacts> {
  const left = new Set([...names].filter((name) => !gone.includes(name)));
  return { traceable: { names: left, error: null }, symbols: { names: left, error: null } };
}

function hook(diagnosis: Diagnosis, target: string): string {
  return diagnosis.hooks.find((row) => row.target === target)?.state ?? 'not in the table';
}

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

const OBSTACLES: readonly (readonly [
  title: string,
  facts: Partial<HostFacts>,
  probe: BpfProbe,
  reason: RegExp,
  remedy: RegExp,
])[] = [
  [
    'kernel 6.1',
    { kernel: parseKernelRelease('6.1.0-49-amd64') },
    PERMITTED,
    /^kernel 6\.1 has no per-VMA locks \(they came with 6\.4\)$/,
    /6\.4 or later/,
  ],
  [
    'kernel 5.10',
    { kernel: parseKernelRelease('5.10.0') },
    PERMITTED,
    /^kernel 5\.10 has no per-VMA locks/,
    /6\.4 or later/,
  ],
  ['built without them', without('lock_vma_under_rcu'), PERMITTED, /CONFIG_PER_VMA_LOCK/, /CONFIG_PER_VMA_LOCK=y/],
  ['no BTF', { btf: false }, PERMITTED, /no BTF/, /CONFIG_DEBUG_INFO_BTF/],
  [
    'no libbpf',
    {},
    { state: 'unknown', errno: '', libbpf: null, detail: 'libbpf not installed', remedy: '' },
    /libbpf not installed/,
    /apt install libbpf1/,
  ],
  ['no privilege', { capEff: 0n }, REFUSED, /EPERM\): no privilege/, /as root/],
  [
    'another refusal',
    {},
    { ...REFUSED, errno: 'EINVAL', detail: 'load x: too old', remedy: 'use a newer kernel' },
    /^load x: too old$/,
    /newer kernel/,
  ],
  [
    'no /proc of this PID namespace',
    { namespaces: { pid: { initial: null, error: '/proc/self: ENOENT' }, monotonicAheadNs: 0n } },
    PERMITTED,
    /^\/proc\/self: ENOENT: whose pids are shown is not known$/,
    /mount the \/proc/,
  ],
  ['user namespace', { initialUserNamespace: false }, REFUSED, /user namespace/, /outside the container/],
  ['lockdown', { lockdown: 'confidentiality' }, REFUSED, /lockdown \(confidentiality\)/, /boot/],
  ['seccomp', { seccomp: 2 }, REFUSED, /seccomp filter/, /outside the container/],
  [
    'security module',
    { lsm: ['capability', 'selinux'] },
    REFUSED,
    /security module may refuse it \(selinux\)/,
    /make run/,
  ],
  [
    'policy',
    { lockdown: null, lsm: null },
    REFUSED,
    /the capabilities are there: it is the machine's policy; securityfs is not mounted/,
    /make run/,
  ],
  [
    'probe failed',
    {},
    { state: 'unknown', errno: '', libbpf: '1.1', detail: 'no answer', remedy: '' },
    /is not known: no answer/,
    /as root/,
  ],
  ['required hook', without('handle_mm_fault'), PERMITTED, /nothing to attach to for handle_mm_fault/, /stock kernel/],
];

for (const [title, facts, probe, reason, remedy] of OBSTACLES) {
  test(`cannot observe: ${title}`, () => {
    const diagnosis = explain({ ...ROOT, ...facts }, probe);
    assert.equal(diagnosis.canObserve, false);
    assert.match(diagnosis.reason, reason);
    assert.match(diagnosis.remedy, remedy);
    const last = doctorText(diagnosis).trimEnd().split('\n').slice(-2);
    assert.deepEqual(last, [`cannot observe here: ${diagnosis.reason}`, `→ ${diagnosis.remedy}`]);
  });
}

test('integrity lockdown is no obstacle: it leaves reading the kernel to BPF', () => {
  assert.equal(explain({ ...ROOT, lockdown: 'integrity' }, PERMITTED).canObserve, true);
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
