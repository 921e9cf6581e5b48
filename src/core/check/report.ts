// SPDX-License-Identifier: MIT
/** What `check` comes to: the document of `check --json`. */
import type { DescribedStep } from './describe.js';
import type { FindingName } from './rule.js';

export const RESULTS = ['held', 'violated', 'not observable here', 'finding'] as const;
export type Result = (typeof RESULTS)[number];

/** A lifecycle that did not obey. Addresses are hexadecimal, times ns since the session's base. */
export interface Example {
  /** What was wrong with it. */
  readonly words: string;
  /** `fault_cpu:fault` */
  readonly lifecycle: string;
  readonly tid: number;
  readonly tgid: number;
  readonly comm: string;
  readonly address: string;
  /** `start-end`; '' when the VMA was not read. */
  readonly vma: string;
  /** The task's fault before it, where that is part of the evidence. */
  readonly before?: readonly DescribedStep[];
  readonly steps: readonly DescribedStep[];
  /** Index into `steps` of the one that shows it. */
  readonly at: number;
}

export interface SightResult {
  readonly shows: string;
  readonly hooks: readonly string[];
  readonly options: readonly string[];
  /** Why it would not be seen here; '' when it would. */
  readonly why: string;
}

export interface RuleResult {
  readonly rule: number;
  readonly result: Result;
  /** Faults in which it was put to the test and held: a violation would have been seen. */
  readonly held: number;
  readonly violated: number;
  /** Faults in which nothing contradicts it, and a violation might not have been seen: `why` says why. */
  readonly unseen: number;
  /** Times it could not be decided, since steps were lost or may have been. */
  readonly setAside: number;
  /** Why it is not observable here, or not in the faults of `unseen`; '' otherwise. */
  readonly why: string;
  readonly statement: string;
  /** What would be seen if it broke, by which hooks, with which options. */
  readonly sees: readonly SightResult[];
  /** The first violation; absent when there is none, or none that is about a lifecycle. */
  readonly example?: Example;
  /** What was wrong, for a rule about the session; absent otherwise. */
  readonly words?: string;
}

export interface Finding {
  /** The rule whose matter it is. */
  readonly rule: number;
  readonly what: FindingName;
  readonly count: number;
}

export interface CheckReport {
  readonly v: 1;
  readonly kernel: string;
  readonly scope: string;
  readonly release: string;
  /** False when the source was cut off. */
  readonly ended: boolean;
  /** Lifecycles looked at, and those of them that lack steps. */
  readonly lifecycles: { readonly total: number; readonly incomplete: number };
  readonly rules: readonly RuleResult[];
  readonly findings: readonly Finding[];
  readonly events: {
    readonly emitted: number;
    readonly decoded: number;
    readonly dropped: number;
    readonly missed: number;
  };
}
