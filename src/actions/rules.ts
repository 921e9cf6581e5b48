// SPDX-License-Identifier: MIT
/** Rules from TOML: `[[rule]]` tables. */
import type { Section } from '../config/section.js';
import { readToml } from '../config/toml.js';
import { GROUPINGS, SEVERITIES } from '../core/alerts/event.js';
import type { AlertRule, Condition } from '../core/alerts/rule.js';
import { ExitCode, UserError } from '../errors.js';
import { resource } from '../resources.js';
import { compileCondition, ExpressionError } from './cel.js';

/** The set that holds where no other is named. */
export const DEFAULT_RULES: string = resource('share/alerts/default.toml');

const DAY_NS = 86_400e9;
const NAME = /^[a-z][a-z0-9-]*$/;

/** Reads a file of `[[rule]]` tables. Rejects with a `UserError` (exit code 2) that names file, line, key and what is allowed. */
export async function loadRules(path: string = DEFAULT_RULES): Promise<AlertRule[]> {
  const top = await readToml(path);
  const rules = readRules(top);
  top.finish();
  if (rules.length > 0) return rules;
  throw new UserError(`cannot use ${path}`, 'it contains no rule', 'add a [[rule]] table', ExitCode.Usage);
}

/** The `[[rule]]` tables of `section`; throws a `UserError` that names file, line and key. */
export function readRules(section: Section): AlertRule[] {
  const names = new Set<string>();
  return section.sections('rule').map((table) => {
    const rule = readRule(table);
    if (names.has(rule.name))
      throw table.error('name', `is taken already: ${rule.name}`, 'give each rule its own name');
    names.add(rule.name);
    return rule;
  });
}

function readRule(table: Section): AlertRule {
  const name = table.required('name');
  if (!NAME.test(name))
    throw table.error('name', `is ${JSON.stringify(name)}`, 'lower-case letters, digits and -, a letter first');
  const range = { min: 0, max: DAY_NS };
  const groupBy = table.oneOf('group_by', GROUPINGS) ?? null;
  const condition = (key: string): Condition =>
    compiled(table, key, () => compileCondition(table.required(key), groupBy));
  const rule: AlertRule = {
    name,
    summary: table.string('summary') ?? name,
    severity: table.oneOf('severity', SEVERITIES) ?? 'warning',
    groupBy,
    forNs: table.duration('for', range) ?? 0,
    clearForNs: table.duration('clear_for', range) ?? 0,
    cooldownNs: table.duration('cooldown', range) ?? 0,
    when: condition('when'),
    clear: table.string('clear') === undefined ? null : condition('clear'),
  };
  table.finish();
  return rule;
}

function compiled<T>(table: Section, key: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const where = error.column > 0 ? ` at column ${error.column} of the expression` : '';
    throw table.error(key, `cannot be used: ${error.message}${where}`, error.remedy);
  }
}

/** Whether a rule wants to know what `check` says. */
export function wantsCheck(rules: readonly AlertRule[]): boolean {
  return rules.some(({ when, clear }) => when.fields.includes('violations') || clear?.fields.includes('violations'));
}
