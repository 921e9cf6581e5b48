// SPDX-License-Identifier: MIT
/** Why a host cannot be observed, and what doctor says to do about it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { doctorText } from '../../cli/commands/doctor/text.js';
import type { BpfProbe } from '../../src/doctor/diagnosis.js';
import { explain } from '../../src/doctor/doctor.js';
import { type HostFacts, parseKernelRelease } from '../../src/live/host.js';
import { PERMITTED, REFUSED, ROOT, without } from './doctor-facts.js';

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
