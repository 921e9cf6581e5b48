// SPDX-License-Identifier: MIT
/** What `doctor` says of a host. */
import type { AttachMethod } from '../core/events/session.js';
import type { ReleasePlan } from '../live/hooks.js';

export type State = 'yes' | 'no' | 'unknown';

export interface Check {
  readonly id: string;
  readonly title: string;
  readonly state: State;
  readonly detail: string;
}

export interface HookCheck {
  readonly target: string;
  readonly purpose: string;
  readonly required: boolean;
  readonly methods: readonly AttachMethod[];
  readonly state: State;
  readonly detail: string;
}

/** What asking bpf() came to. */
export interface BpfProbe {
  readonly state: State;
  /** errno name when it was refused, else ''. */
  readonly errno: string;
  /** Version of libbpf; null when there is none to load. */
  readonly libbpf: string | null;
  /** Why `state` is not `yes`, else ''. */
  readonly detail: string;
  /** What the error itself advises; '' when it advises nothing. */
  readonly remedy: string;
}

/** A program that a session would load and the kernel does not take. */
export interface RefusedProgram {
  readonly program: string;
  /** The hook that is lost with it; the program itself where it only stands in for another. */
  readonly hook: string;
  readonly required: boolean;
  readonly why: string;
  readonly remedy: string;
  /** The verifier's last lines, oldest first. */
  readonly lastLines: readonly string[];
  /** What libbpf and the verifier said, whole. */
  readonly log: string;
}

/** What loading every program of a session came to. */
export interface ProgramsCheck {
  readonly loaded: number;
  readonly refused: readonly RefusedProgram[];
}

export interface Diagnosis {
  readonly v: 1;
  readonly canObserve: boolean;
  readonly reason: string;
  /** What to do; '' when there is nothing to do. */
  readonly remedy: string;
  readonly kernel: string;
  readonly arch: string;
  readonly preemption: string;
  readonly checks: readonly Check[];
  readonly hooks: readonly HookCheck[];
  /** null: not tried, since no program can be loaded here, or whether it can is not known. */
  readonly programs: ProgramsCheck | null;
  readonly release: ReleasePlan;
  /** What this user will not see, in sentences. */
  readonly unseen: readonly string[];
}
