// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { BpfError } from '../src/errors.js';
import { type Features, features } from '../src/features.js';
import { MapType } from '../src/map-types.js';
import { ProgramType } from '../src/probes.js';

const { EPERM, EINVAL } = constants.errno;

/** A host where everything is permitted. */
const OPEN: Readonly<Record<string, string>> = {
  '/sys/kernel/btf/vmlinux': 'types',
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000000c000000000\nCapBnd:\t000001ffffffffff\n',
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/sys/kernel/security/lsm': 'lockdown,capability,apparmor',
  '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
};

function on(host: Readonly<Record<string, string | null>>, errno: number = 0): Features {
  const files: Readonly<Record<string, string | null>> = { ...OPEN, ...host };
  return features({
    bpf: () => errno,
    libbpf: () => '1.1',
    read: (path) => {
      const text = files[path];
      if (typeof text === 'string') return text;
      throw Object.assign(new Error(path), { code: text === null ? 'EACCES' : 'ENOENT' });
    },
  });
}

const without = (path: string): Readonly<Record<string, string | null>> => ({ [path]: undefined as unknown as null });
const capEff = (hex: string): Readonly<Record<string, string>> => ({ '/proc/self/status': `CapEff:\t${hex}\n` });

describe('features', () => {
  it('says supported where everything is there', () => {
    const host = on({});
    assert.deepEqual(
      [host.btf.state, host.capabilities.state, host.lockdown.state, host.libbpf, host.bpf.state],
      ['supported', 'supported', 'supported', { state: 'supported', reason: '1.1' }, 'supported'],
    );
    assert.deepEqual(host.lsm, ['lockdown', 'capability', 'apparmor']);
    assert.equal(host.unprivileged.state, 'unsupported');
  });

  it('names the capability that is missing; CAP_SYS_ADMIN stands for both', () => {
    assert.deepEqual(on(capEff('0000008000000000')).capabilities, {
      state: 'unsupported',
      reason: 'CAP_PERFMON not effective',
    });
    assert.deepEqual(on(capEff('0000000000000000')).capabilities.reason, 'CAP_BPF and CAP_PERFMON not effective');
    assert.deepEqual(on(capEff('0000000000200000')).capabilities, { state: 'supported', reason: 'CAP_SYS_ADMIN' });
    assert.equal(on({ '/proc/self/uid_map': '0 1000 1\n' }).capabilities.state, 'unsupported');
  });

  it('tells lockdown modes apart, and what cannot be known from what is not there', () => {
    assert.equal(
      on({ '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' }).lockdown.state,
      'supported',
    );
    assert.equal(
      on({ '/sys/kernel/security/lockdown': 'none integrity [confidentiality]' }).lockdown.state,
      'unsupported',
    );
    assert.equal(on(without('/sys/kernel/security/lockdown')).lockdown.state, 'inconclusive');
    assert.equal(on(without('/sys/kernel/btf/vmlinux')).btf.state, 'unsupported');
    assert.equal(on({ '/sys/kernel/btf/vmlinux': null }).btf.state, 'inconclusive');
    assert.equal(on(without('/proc/self/status')).capabilities.state, 'inconclusive');
    assert.equal(on(without('/sys/kernel/security/lsm')).lsm, null);
  });

  it('explains EPERM by what is known to forbid it, else by what might', () => {
    assert.match(on(capEff('0'), EPERM).bpf.reason, /\(EPERM\): CAP_BPF and CAP_PERFMON not effective$/);
    assert.match(
      on({ '/sys/kernel/security/lockdown': '[confidentiality]' }, EPERM).bpf.reason,
      /lockdown=confidentiality/,
    );
    const puzzling = on({}, EPERM).bpf;
    assert.equal(puzzling.state, 'unsupported');
    assert.match(puzzling.reason, /although the capabilities are there: .*active: lockdown, capability, apparmor/);
    assert.match(on(without('/sys/kernel/security/lsm'), EPERM).bpf.reason, /there: a security module, lockdown/);
    assert.match(on({}, EINVAL).bpf.reason, /EINVAL/);
  });

  it('takes a missing libbpf for an answer, a defect for a defect', () => {
    const missing = new BpfError({ what: 'load libbpf', why: 'not installed', remedy: 'install it' });
    const at = (libbpf: () => string): Features => features({ bpf: () => 0, libbpf, read: () => '' });
    assert.deepEqual(
      at(() => {
        throw missing;
      }).libbpf,
      { state: 'unsupported', reason: 'load libbpf: not installed' },
    );
    assert.equal(
      at(() => {
        throw missing;
      }).bpf.state,
      'inconclusive',
    );
    assert.throws(
      () =>
        at(() => {
          throw new TypeError('defect');
        }),
      TypeError,
    );
  });

  it('asks libbpf about every type, of its own accord', () => {
    const { types, libbpf, bpf } = features();
    assert.equal(libbpf.state, 'supported');
    assert.notEqual(bpf.reason, '');
    assert.deepEqual(Object.keys(types?.mapTypes ?? {}), Object.keys(MapType));
    assert.deepEqual(Object.keys(types?.programTypes ?? {}), Object.keys(ProgramType));
  });

  it('answers for this very host', () => {
    const host = features({ bpf: () => EPERM, libbpf: () => '1.1' });
    for (const feature of [host.btf, host.capabilities, host.lockdown, host.unprivileged, host.bpf])
      assert.notEqual(feature.reason, '');
    assert.notEqual(host.kernel, '');
  });
});
