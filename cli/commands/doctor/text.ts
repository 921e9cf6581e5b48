// SPDX-License-Identifier: MIT
/** What `doctor` prints for people. Pure. */
import { type CleanText, textOf } from '../../../src/core/present/clean.js';
import type { Diagnosis, State } from '../../../src/doctor/diagnosis.js';

const MARK: Readonly<Record<State, string>> = { yes: '✓', no: '✗', unknown: '?' };

export function verdictLine(diagnosis: Diagnosis): string {
  return diagnosis.canObserve
    ? `live observation works here: ${diagnosis.reason}`
    : `cannot observe here: ${diagnosis.reason}`;
}

/** Under a refused program what the verifier said last; `verbose`: all it said. */
export function doctorText(diagnosis: Diagnosis, verbose: boolean = false): CleanText {
  const width = Math.max(...diagnosis.hooks.map((hook) => hook.target.length));
  const lines = ['Host'];
  for (const check of diagnosis.checks) lines.push(`  ${MARK[check.state]} ${check.title.padEnd(18)} ${check.detail}`);
  lines.push('', 'Hooks');
  for (const hook of diagnosis.hooks) {
    const need = hook.required ? 'required' : 'optional';
    lines.push(`  ${MARK[hook.state]} ${hook.target.padEnd(width)}  ${need}  ${hook.purpose}: ${hook.detail}`);
  }
  const refused = diagnosis.programs?.refused ?? [];
  if (refused.length > 0) lines.push('', 'Refused programs');
  for (const { program, hook, required, why, remedy, lastLines, log } of refused) {
    lines.push(`  ✗ ${program}: ${why}`);
    lines.push(
      `      lost with it: ${hook === program ? 'what it stands in for' : hook} (${required ? 'required' : 'optional'})`,
    );
    if (verbose) lines.push(...log.split('\n').map((line) => `      ${line}`));
    else lines.push(...lastLines.map((line) => `      ${line}`));
    if (remedy !== '') lines.push(`      → ${remedy}`);
  }
  if (refused.length > 0 && !verbose) lines.push('  (the whole verifier log: doctor --verbose)');
  const { target, why } = diagnosis.release;
  const how = target === null ? 'derived' : `derived, or observed at ${target} with --release observed`;
  lines.push('', `VMA-lock release: ${how} (${why})`);
  if (diagnosis.unseen.length > 0) lines.push('', 'What this user will not see');
  for (const sentence of diagnosis.unseen) lines.push(`  - ${sentence}`);
  lines.push('', verdictLine(diagnosis));
  if (diagnosis.remedy !== '') lines.push(`→ ${diagnosis.remedy}`);
  return textOf(lines);
}
