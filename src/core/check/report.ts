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

export interface RuleResult {
  readonly rule: number;
  readonly result: Result;
  /** How often it was put to the test and held. */
  readonly held: number;
  readonly violated: number;
  /** Times it could not be decided, since steps were lost or may have been. */
  readonly setAside: number;
  /** Why it is not observable here; '' otherwise. */
  readonly why: string;
  readonly statement: string;
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
