// SPDX-License-Identifier: MIT
/**
 * What this host lets a tracer do, as far as it can be known: supported, unsupported, or inconclusive, each with its reason.
 * Everything but the attempt itself is read from /proc and /sys; only the attempt decides, the rest explains it.
 */
import { readFileSync } from 'node:fs';
import { constants, release } from 'node:os';
import { BpfError, errnoError } from './errors.js';
import { type KernelFeatures, kernelFeatures } from './probes.js';
import { libbpfVersion, probeTracing } from './system.js';

export interface Feature {
  readonly state: 'supported' | 'unsupported' | 'inconclusive';
  readonly reason: string;
}

export interface Features {
  /** `uname -r` */
  readonly kernel: string;
  /** The kernel's own types, which CO-RE and fentry need. */
  readonly btf: Feature;
  /** CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, effective in this process. */
  readonly capabilities: Feature;
  /** Reading kernel memory under the lockdown mode in force. */
  readonly lockdown: Feature;
  /** bpf() for those without privilege (which never includes tracing). */
  readonly unprivileged: Feature;
  /** Active security modules; null when securityfs does not say. */
  readonly lsm: readonly string[] | null;
  readonly libbpf: Feature;
  /** bpf() itself: the program it was tried with was or was not accepted. Others may still be refused. */
  readonly bpf: Feature;
  /** By libbpf's own probes, type by type; null without libbpf. For helpers: `probeHelpers`. */
  readonly types: KernelFeatures | null;
}

/** For tests: other answers than this host's. */
export interface FeatureProbes {
  /** Tries the least privileged thing every tracer needs; 0, or the errno it was refused with. */
  bpf(): number;
  /** Version of libbpf. Throws `BpfError` when there is none to use. */
  libbpf(): string;
  types?(): KernelFeatures;
  /** Text of a file; throws as `readFileSync` does. */
  read?(path: string): string;
}

const supported = (reason: string): Feature => ({ state: 'supported', reason });
const unsupported = (reason: string): Feature => ({ state: 'unsupported', reason });
const inconclusive = (reason: string): Feature => ({ state: 'inconclusive', reason });

/** include/uapi/linux/capability.h */
const CAPABILITIES = [
  ['CAP_BPF', 39n],
  ['CAP_PERFMON', 38n],
] as const;
const CAP_SYS_ADMIN = 21n;

type Read = (
  path: string,
) => { readonly text: string; readonly error: null } | { readonly text: null; readonly error: string };

function reader(read: (path: string) => string): Read {
  return (path) => {
    try {
      return { text: read(path), error: null };
    } catch (error) {
      return { text: null, error: error instanceof Error && 'code' in error ? String(error.code) : 'EIO' };
    }
  };
}

function btf(read: Read): Feature {
  const { text, error } = read('/sys/kernel/btf/vmlinux');
  if (text !== null) return supported('/sys/kernel/btf/vmlinux');
  return error === 'ENOENT'
    ? unsupported(
        'no /sys/kernel/btf/vmlinux: the kernel was built without CONFIG_DEBUG_INFO_BTF, or /sys is not mounted',
      )
    : inconclusive(`/sys/kernel/btf/vmlinux cannot be read (${error})`);
}

function capabilities(read: Read): Feature {
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(read('/proc/self/status').text ?? '')?.[1];
  if (hex === undefined) return inconclusive('/proc/self/status does not say');
  const held = BigInt(`0x${hex}`);
  const missing = CAPABILITIES.filter(([, bit]) => ((held >> bit) & 1n) === 0n).map(([name]) => name);
  const admin = ((held >> CAP_SYS_ADMIN) & 1n) === 1n;
  if (missing.length > 0 && !admin) return unsupported(`${missing.join(' and ')} not effective`);
  // bpf_capable() asks the initial user namespace; there, the map covers all ids one to one.
  const map = read('/proc/self/uid_map').text;
  if (map !== null && !/^\s*0\s+0\s+4294967295\s*$/.test(map)) {
    return unsupported('effective in a user namespace only: tracing asks for them in the initial one');
  }
  return supported(missing.length === 0 ? 'CAP_BPF and CAP_PERFMON' : 'CAP_SYS_ADMIN');
}

/** security/lockdown: LOCKDOWN_BPF_READ_KERNEL is a matter of confidentiality; integrity leaves reading alone. */
function lockdown(read: Read): Feature {
  const { text, error } = read('/sys/kernel/security/lockdown');
  const mode = /\[(\w+)\]/.exec(text ?? '')?.[1];
  if (mode === undefined) {
    return inconclusive(
      error === 'ENOENT'
        ? 'securityfs does not say: not mounted, or a kernel without lockdown'
        : `cannot be read (${error ?? 'no mode in it'})`,
    );
  }
  return mode === 'confidentiality'
    ? unsupported('lockdown=confidentiality: BPF programs may not read kernel memory, whoever loads them')
    : supported(`lockdown=${mode}`);
}

function unprivileged(read: Read): Feature {
  const { text, error } = read('/proc/sys/kernel/unprivileged_bpf_disabled');
  if (text === null) return inconclusive(`kernel.unprivileged_bpf_disabled cannot be read (${error})`);
  const value = text.trim();
  return value === '0'
    ? supported('kernel.unprivileged_bpf_disabled=0')
    : unsupported(`kernel.unprivileged_bpf_disabled=${value}: bpf() takes CAP_BPF`);
}

function libbpf(version: () => string): Feature {
  try {
    return supported(version());
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    return unsupported(error.message);
  }
}

/** What stands in the way when bpf() answers EPERM: what is known to forbid it, else what might. */
function refused(errno: number, known: readonly Feature[], lsm: readonly string[] | null): string {
  const { why } = errnoError('bpf()', errno);
  if (errno !== constants.errno.EPERM) return why;
  const culprits = known.filter((feature) => feature.state === 'unsupported').map((feature) => feature.reason);
  if (culprits.length > 0) return `${why}: ${culprits.join('; ')}`;
  const modules = lsm === null ? 'a security module' : `a security module (active: ${lsm.join(', ')})`;
  return `${why} although the capabilities are there: ${modules}, lockdown, a seccomp filter or the machine's operator forbids it`;
}

const OWN: FeatureProbes = { bpf: probeTracing, libbpf: libbpfVersion, types: kernelFeatures };

/**
 * Never throws for what a host lacks. Loads libbpf, tries to load one program, and has libbpf try every program and map type (some
 * tens of milliseconds); attaches nothing.
 */
export function features(probes: FeatureProbes = OWN): Features {
  const read = reader(probes.read?.bind(probes) ?? ((path) => readFileSync(path, 'latin1')));
  const caps = capabilities(read);
  const locked = lockdown(read);
  const lsm = read('/sys/kernel/security/lsm').text?.trim().split(',') ?? null;
  const library = libbpf(() => probes.libbpf());
  const errno = library.state === 'supported' ? probes.bpf() : constants.errno.ENOSYS;
  return {
    kernel: release(),
    btf: btf(read),
    capabilities: caps,
    lockdown: locked,
    unprivileged: unprivileged(read),
    lsm,
    libbpf: library,
    types: library.state === 'supported' ? (probes.types?.() ?? null) : null,
    bpf:
      errno === 0
        ? supported('the program it was tried with was accepted')
        : library.state === 'supported'
          ? unsupported(refused(errno, [caps, locked], lsm))
          : inconclusive('it was not tried: there is no libbpf'),
  };
}
