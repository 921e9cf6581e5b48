// SPDX-License-Identifier: MIT
/** What each of our BPF programs costs. */
import type { ProgramRow } from '../rows.js';
import { type Field, num, text } from './field.js';

export const programFields: readonly Field<ProgramRow>[] = [
  text('program', 'program', 20, (r) => r.cost.name, 30),
  text('target', 'target', 24, (r) => r.cost.target, 34),
  text('method', 'method', 14, (r) => r.cost.method, 22),
  num('runs', 'runs', '', 7, (r) => r.cost.runCount),
  num('runTime', 'run time', 'ns', 9, (r) => r.cost.runTimeNs),
  num('perRun', 'per run', 'ns', 9, (r) => (r.cost.runCount > 0 ? r.cost.runTimeNs / r.cost.runCount : null)),
  num('cpu', 'cpu', 'share', 6, (r) => (r.measuredNs > 0 ? r.cost.runTimeNs / r.measuredNs : null)),
  num('missed', 'missed', '', 7, (r) => r.cost.missed),
];
