// SPDX-License-Identifier: MIT
/** What `doctor` prints for people. Pure. */
import { type CleanText, textOf } from '../../../src/core/present/clean.js';
import type { Diagnosis, State } from '../../../src/doctor/doctor.js';

const MARK: Readonly<Record<State, string>> = { yes: '✓', no: '✗', unknown: '?' };

export function verdictLine(diagnosis: Diagnosis): string {
  return diagnosis.canObserve
    ? `live observation works here: ${diagnosis.reason}`
    : `cannot observe here: ${diagnosis.reason}`;
}

export function doctorText(diagnosis: Diagnosis): CleanText {
  const width = Math.max(...diagnosis.hooks.map((hook) => hook.target.length));
  const lines = ['Host'];
  for (const check of diagnosis.checks) lines.push(`  ${MARK[check.state]} ${check.title.padEnd(18)} ${check.detail}`);
  lines.push('', 'Hooks');
  for (const hook of diagnosis.hooks) {
    const need = hook.required ? 'required' : 'optional';
    lines.push(`  ${MARK[hook.state]} ${hook.target.padEnd(width)}  ${need}  ${hook.purpose}: ${hook.detail}`);
  }
  const { target, why } = diagnosis.release;
  const how = target === null ? 'derived' : `derived, or observed at ${target} with --release observed`;
  lines.push('', `VMA-lock release: ${how} (${why})`);
  if (diagnosis.unseen.length > 0) lines.push('', 'Not to be seen by this user');
  for (const sentence of diagnosis.unseen) lines.push(`  - ${sentence}`);
  lines.push('', verdictLine(diagnosis));
  if (diagnosis.remedy !== '') lines.push(`→ ${diagnosis.remedy}`);
  return textOf(lines);
}
