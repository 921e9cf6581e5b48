// SPDX-License-Identifier: MIT
/** The document behind `diff --json`. Sums of ns are strings, as in `stat --json`; what is not known is null. */
import { ALPHA, type Diff, type DiffRow, type DiffSide, MIN_CHANGE, type SideValue } from './compare.js';

function side({ session, runs, durationNs, faults, events, lifecycles, truncated }: DiffSide): object {
  const { host, kernel, arch, cpus, preemption, scope, release, minUs, filters, tool } = session;
  return {
    host,
    kernel,
    arch,
    cpus,
    preemption,
    scope,
    release,
    minUs,
    filters,
    tool,
    runs,
    durationNs,
    faults,
    events,
    lifecycles,
    truncated,
  };
}

function value(row: DiffRow, at: SideValue | null): object | null {
  if (at === null) return null;
  if (row.unit === 'count') return { count: at.value, perFault: at.perFault, perSecond: at.perSecond };
  if (row.unit === 'percentile') return { ns: Number.isFinite(at.value) ? at.value : null };
  return { ns: BigInt(Math.round(at.value)).toString(), nsPerFault: at.perFault, nsPerSecond: at.perSecond };
}

function row(it: DiffRow): object {
  const { id, group, title, change, p, verdict } = it;
  // JSON has no Infinity: a figure that A has none of is given by its own value.
  const finite = change !== null && Number.isFinite(change) ? change : null;
  return { id, group, title, a: value(it, it.a), b: value(it, it.b), change: finite, p, verdict };
}

export function diffJson(diff: Diff): object {
  return {
    v: 1,
    a: side(diff.a),
    b: side(diff.b),
    warnings: diff.warnings,
    method: {
      ...diff.method,
      test: `exact permutation of ${diff.method.unit === 'run' ? 'runs' : 'time slices'}, step-down maxT`,
      alpha: ALPHA,
      minChange: MIN_CHANGE,
    },
    findings: diff.findings.map(({ id }) => id),
    rows: diff.rows.map(row),
  };
}
