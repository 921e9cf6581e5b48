// SPDX-License-Identifier: MIT
/** Facts about this host that decide whether and how it can be observed. Read only from /proc, /sys and /boot; nothing is tried. */

import { existsSync, readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { archName } from '../core/vocabulary/arch.js';
import { type Namespaces, namespaces } from './namespaces.js';

export interface KernelVersion {
  readonly release: string;
  readonly major: number;
  readonly minor: number;
}

/** `readable` with its lines, or the errno name that says why not. */
export type Listing =
  | { readonly names: ReadonlySet<string>; readonly error: null }
  | { readonly names: null; readonly error: string };

export interface HostFacts {
  readonly kernel: KernelVersion;
  readonly arch: string;
  readonly btf: boolean;
  /** CapEff of this process; null where /proc does not say. */
  readonly capEff: bigint | null;
  /** RLIMIT_MEMLOCK of this process, bytes, Infinity for none; null where /proc does not say. */
  readonly memlock: number | null;
  /** False inside a user namespace: capabilities count only there. */
  readonly initialUserNamespace: boolean | null;
  readonly namespaces: Namespaces;
  /** Seccomp mode of this process: 0 none, 1 strict, 2 filter. */
  readonly seccomp: number | null;
  /** `none`, `integrity`, `confidentiality`; null where securityfs does not say. */
  readonly lockdown: string | null;
  /** Active security modules; null where securityfs does not say. */
  readonly lsm: readonly string[] | null;
  readonly unprivilegedBpfDisabled: number | null;
  /** `none`, `voluntary`, `full`, `lazy`, or `unknown`. */
  readonly preemption: string;
  /** available_filter_functions. */
  readonly traceable: Listing;
  /** /proc/kallsyms. */
  readonly symbols: Listing;
  /** Whether its addresses are shown to this process, and not zeros; null where it was not read. */
  readonly symbolAddresses: boolean | null;
}

export const Capability = {
  IpcLock: 14n,
  SysPtrace: 19n,
  SysAdmin: 21n,
  SysResource: 24n,
  Perfmon: 38n,
  Bpf: 39n,
} as const;

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** `6.12.95+deb12-amd64` → 6, 12. Numbers are 0 when the release does not start with two. */
export function parseKernelRelease(text: string): KernelVersion {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return { release: text, major: Number(match?.[1] ?? 0), minor: Number(match?.[2] ?? 0) };
}

/** The choice in brackets or parentheses: `none [integrity] confidentiality`, `none voluntary (full) lazy`. */
export function chosen(text: string): string | null {
  return /[[(](\w+)[\])]/.exec(text)?.[1] ?? null;
}

/** First words of lines (available_filter_functions), or third words (kallsyms), as a set. */
export function parseNames(text: string, column: 0 | 2): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of text.split('\n')) {
    const name = line.split(/[\s]/, 3)[column];
    if (name) names.add(name);
  }
  return names;
}

/** The text of the first of these files that is there. */
function readFirst(
  paths: readonly string[],
): { readonly text: string } | { readonly text: null; readonly error: string } {
  let why = 'ENOENT';
  for (const path of paths) {
    try {
      return { text: readFileSync(path, 'utf8') };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
      if (code !== 'ENOENT') why = code;
    }
  }
  return { text: null, error: why };
}

function list(found: ReturnType<typeof readFirst>, column: 0 | 2): Listing {
  return found.text === null
    ? { names: null, error: found.error }
    : { names: parseNames(found.text, column), error: null };
}

function status(field: string): string | null {
  return new RegExp(`^${field}:\\s*(\\S+)`, 'm').exec(read('/proc/self/status') ?? '')?.[1] ?? null;
}

function kernelConfig(releaseName: string): string {
  try {
    return gunzipSync(readFileSync('/proc/config.gz')).toString('latin1');
  } catch {
    return read(`/boot/config-${releaseName}`) ?? read(`/lib/modules/${releaseName}/config`) ?? '';
  }
}

/** The preemption model from what the kernel says (debugfs), was asked for (`preempt=`), or was built with, in this order. */
export function preemptionModel(debugfs: string | null, commandLine: string, config: string): string {
  const now = debugfs === null ? null : chosen(debugfs);
  if (now !== null) return now;
  const has = (option: string): boolean => new RegExp(`^CONFIG_${option}=y$`, 'm').test(config);
  if (has('PREEMPT_RT')) return 'full';
  const asked = /(?:^|\s)preempt=(none|voluntary|full|lazy)(?:\s|$)/.exec(commandLine)?.[1];
  if (asked !== undefined && (config === '' || has('PREEMPT_DYNAMIC'))) return asked;
  const options: readonly (readonly [string, string])[] = [
    ['PREEMPT', 'full'],
    ['PREEMPT_LAZY', 'lazy'],
    ['PREEMPT_VOLUNTARY', 'voluntary'],
    ['PREEMPT_NONE', 'none'],
  ];
  return options.find(([option]) => has(option))?.[1] ?? 'unknown';
}

/** kallsyms_show_value() puts zeros for a user that may not see addresses. Per-CPU symbols have small ones, code never has. */
export function showsAddresses(kallsyms: string | null): boolean | null {
  if (kallsyms === null) return null;
  return /^[0-9a-f]*[1-9a-f][0-9a-f]* [tTwW] /m.test(kallsyms);
}

/** The soft limit in /proc/PID/limits. */
export function parseMemlock(limits: string): number | null {
  const limit = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1];
  return limit === undefined ? null : limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

const number = (text: string | null): number | null => (text === null ? null : Number(text));

/** `symbols: false` leaves /proc/kallsyms out: a quarter of a second and tens of megabytes on the way. */
export function hostFacts(wanted: { readonly symbols: boolean } = { symbols: true }): HostFacts {
  const kernel = parseKernelRelease(release());
  const capEff = status('CapEff');
  const uidMap = read('/proc/self/uid_map');
  const lockdown = read('/sys/kernel/security/lockdown');
  const kallsyms = wanted.symbols ? readFirst(['/proc/kallsyms']) : ({ text: null, error: 'not read' } as const);
  return {
    kernel,
    arch: archName(arch()),
    btf: existsSync('/sys/kernel/btf/vmlinux'),
    capEff: capEff === null ? null : BigInt(`0x${capEff}`),
    memlock: parseMemlock(read('/proc/self/limits') ?? ''),
    initialUserNamespace: uidMap === null ? null : /^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
    namespaces: namespaces(),
    seccomp: number(status('Seccomp')),
    lockdown: lockdown === null ? null : chosen(lockdown),
    lsm: read('/sys/kernel/security/lsm')?.trim().split(',') ?? null,
    unprivilegedBpfDisabled: number(read('/proc/sys/kernel/unprivileged_bpf_disabled')),
    preemption: preemptionModel(
      read('/sys/kernel/debug/sched/preempt'),
      read('/proc/cmdline') ?? '',
      kernelConfig(kernel.release),
    ),
    traceable: list(
      readFirst([
        '/sys/kernel/tracing/available_filter_functions',
        '/sys/kernel/debug/tracing/available_filter_functions',
      ]),
      0,
    ),
    symbols: list(kallsyms, 2),
    symbolAddresses: showsAddresses(kallsyms.text),
  };
}
