// SPDX-License-Identifier: MIT
/** What a session is: the host, the kernel, what was hooked and how. The head of every recording and of every view. */

/** How a hook stands on this kernel. */
export type AttachMethod = 'fentry' | 'fexit' | 'kprobe.multi' | 'kretprobe.multi' | 'tp_btf';

/** One BPF program that was loaded and attached. Counter rows refer to it by its index. */
export interface ProgramInfo {
  readonly name: string;
  /** Kernel function or tracepoint it stands on. */
  readonly target: string;
  readonly method: AttachMethod;
}

/** A hook the session wanted, and what came of it. */
export interface HookInfo {
  readonly target: string;
  readonly attached: boolean;
  /** Why not, or what is used instead; empty when there is nothing to say. */
  readonly note: string;
}

export type Scope = 'swap' | 'retry' | 'all';
/** From the narrowest on, as `enum vl_scope`. */
export const SCOPES: readonly Scope[] = ['swap', 'retry', 'all'];
/** How the end of a VMA-lock hold is known: seen exactly, or derived with an interval. */
export type ReleaseMode = 'observed' | 'derived';

/** CLOCK_REALTIME minus CLOCK_MONOTONIC, read together; both in ns since the session's base / the epoch. */
export interface ClockPair {
  /** ns since `SessionInfo.baseNs` */
  readonly time: number;
  /** ns since the epoch, as a decimal string */
  readonly realtimeNs: string;
}

/** Constants of the running kernel the user side needs to read flags and results: `bpf_core_enum_value`'s twins, read from BTF. */
export interface KernelEnums {
  /** `enum fault_flag` */
  readonly faultFlags: Readonly<Record<string, number>>;
  /** `enum vm_fault_reason` */
  readonly faultReasons: Readonly<Record<string, number>>;
}

/** PID_MAX_LIMIT (include/linux/threads.h): no pid reaches it. */
export const PID_OUTSIDE: number = 2 ** 22;

/** Whose pids a session shows, in words; empty for the host's. */
export function pidWords({ pidNamespace }: Pick<SessionInfo, 'pidNamespace'>): string {
  return pidNamespace === true
    ? `pids are those of a PID namespace; of processes outside it, the host's plus ${PID_OUTSIDE}`
    : '';
}

export interface SessionInfo {
  /** Version of this description and of the columns. */
  readonly v: 1;
  readonly tool: string;
  readonly host: string;
  readonly kernel: string;
  readonly arch: string;
  readonly bootId: string;
  readonly commandLine: readonly string[];
  readonly cpus: number;
  /** CLOCK_MONOTONIC at the session's zero, ns, as a decimal string. */
  readonly baseNs: string;
  /** By time. Grows as rows of kind Clock come (clocks.ts), where somebody makes figures of them. */
  readonly clocks: readonly ClockPair[];
  readonly scope: Scope;
  readonly release: ReleaseMode;
  readonly minUs: number;
  /** Holds of mmap_lock from this length on are sent though nobody queued; 0: none. Absent: no hold is sent at all (older recordings). */
  readonly holdMinUs?: number;
  readonly filters: Readonly<Record<string, string>>;
  readonly programs: readonly ProgramInfo[];
  readonly hooks: readonly HookInfo[];
  readonly ringBytes: number;
  readonly enums: KernelEnums;
  /** `none`, `voluntary`, `full`, `lazy`, or `unknown` */
  readonly preemption: string;
  /** Present and true: pids are those of a PID namespace, and a task outside it has `PID_OUTSIDE` added to its initial pid. */
  readonly pidNamespace?: boolean;
  /** Digest of the wire layout the events were decoded with. */
  readonly layout: string;
}

export function isHooked({ hooks }: Pick<SessionInfo, 'hooks'>, target: string): boolean {
  return hooks.some((hook) => hook.target === target && hook.attached);
}
