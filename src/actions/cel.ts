// SPDX-License-Identifier: MIT
/** Expressions of rules, in CEL (https://cel.dev). All figures are doubles; whole numbers may stand beside them. */
import { type ASTNode, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import type { Grouping } from '../core/alerts/event.js';
import { GROUP_FIELDS, GROUP_IDENTITY } from '../core/alerts/groups.js';
import { MEASURES } from '../core/alerts/measures.js';
import type { Condition } from '../core/alerts/rule.js';

/** An expression that does not parse, or is not a condition. */
export class ExpressionError extends Error {
  /** Column, from 1; 0 when the whole is meant. */
  readonly column: number;
  /** What to write instead. */
  readonly remedy: string;

  constructor(message: string, column: number, remedy: string) {
    super(message);
    this.name = 'ExpressionError';
    this.column = column;
    this.remedy = remedy;
  }
}

/** The fields an expression of such a rule can read, by name, with their type. */
export function fieldTypes(groupBy: Grouping | null): ReadonlyMap<string, 'double' | 'string'> {
  if (groupBy === null) return new Map(MEASURES.map(({ id }) => [id, 'double']));
  return new Map([
    ...Object.entries(GROUP_IDENTITY[groupBy]),
    ...GROUP_FIELDS[groupBy].map(({ id }): [string, 'double'] => [id, 'double']),
  ]);
}

const WAIT_FIELD = /^(.+)_wait_(?:p99_seconds|max_seconds|rate)$/;

/** All fields, those of the many kinds of wait folded. */
function fieldList(fields: ReadonlyMap<string, string>): string {
  const names = [...fields.keys()];
  const kinds = new Set(names.flatMap((name) => WAIT_FIELD.exec(name)?.[1] ?? []));
  const waits = `{${[...kinds].join(', ')}}_wait_{p99_seconds, max_seconds, rate}`;
  const others = names.filter((name) => !WAIT_FIELD.test(name));
  return `fields: ${[...others, ...(kinds.size > 0 ? [waits] : [])].join(', ')}`;
}

const OPERATORS: readonly (readonly [string, (x: number, y: number) => number])[] = [
  ['+', (x, y) => x + y],
  ['-', (x, y) => x - y],
  ['*', (x, y) => x * y],
  ['/', (x, y) => x / y],
];

const environments = new Map<Grouping | null, Environment>();

function environment(groupBy: Grouping | null): Environment {
  const known = environments.get(groupBy);
  if (known !== undefined) return known;
  const made = new Environment({ limits: { maxAstNodes: 500, maxDepth: 32 } });
  for (const [name, type] of fieldTypes(groupBy)) made.registerVariable(name, type);
  // CEL converts nothing by itself: `retry_rate * 60` would be an error, and `dropped == 0` as well.
  for (const [operator, apply] of OPERATORS) {
    made.registerOperator(`double ${operator} int: double`, (x, y) => apply(Number(x), Number(y)));
    made.registerOperator(`int ${operator} double: double`, (x, y) => apply(Number(x), Number(y)));
  }
  made.registerOperator('double == int', (x, y) => Number(x) === Number(y));
  environments.set(groupBy, made);
  return made;
}

/** Throws `ExpressionError`. */
export function compileCondition(source: string, groupBy: Grouping | null): Condition {
  const fields = fieldTypes(groupBy);
  try {
    const parsed = environment(groupBy).parse(source);
    const { valid, type, error } = parsed.check();
    if (!valid && error !== undefined) throw failure(error, fields);
    if (type !== 'bool') {
      throw new ExpressionError(
        `it gives a ${type}, not true or false`,
        0,
        'compare with a limit, as in `retry_rate > 100`',
      );
    }
    const read = [...namesIn(parsed.ast)].filter((name) => fields.has(name));
    if (read.length === 0) throw new ExpressionError('it reads no field', 0, fieldList(fields));
    checkConstants(parsed.ast, source, groupBy);
    return {
      source,
      fields: read,
      test: (known) => {
        try {
          const value: unknown = parsed(known);
          return typeof value === 'boolean' ? value : null;
        } catch (error) {
          // A field that is not known is absent, and CEL's && and || say so only where it decides.
          if (error instanceof EvaluationError) return null;
          throw error;
        }
      },
    };
  } catch (error) {
    throw error instanceof ParseError ? failure(error, fields) : error;
  }
}

function failure(
  error: { readonly summary: string; readonly range?: { readonly start: number } },
  fields: ReadonlyMap<string, string>,
): ExpressionError {
  const column = (error.range?.start ?? -1) + 1;
  const unknown = /Unknown variable: (\S+)/.exec(error.summary)?.[1];
  if (unknown !== undefined) {
    return new ExpressionError(`there is no field ${unknown}`, column, fieldList(fields));
  }
  return new ExpressionError(error.summary, column, 'write it in CEL, as in `retry_ratio > 0.05 && retry_rate > 100`');
}

interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value && 'start' in value;
}

/**
 * What is the same whatever the fields say is computed here: an error of it (a pattern that is none, `duration("5 apples")`)
 * would come at each evaluation, where an error means that a field is not known, and the rule would never fire.
 * Throws `ExpressionError`.
 */
function checkConstants(ast: ASTNode, source: string, groupBy: Grouping | null): void {
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isNode(value)) return;
    if (value.op === 'rcall' || value.op === 'call') checkPattern(value);
    if (value.op !== 'value' && value.op !== 'id' && namesIn(value as unknown as ASTNode).size === 0) {
      evaluate(value, source, groupBy);
      return;
    }
    visit(value.args);
  };
  visit(ast);
}

function checkPattern({ args, start }: Node): void {
  if (!Array.isArray(args) || args[0] !== 'matches') return;
  const given: unknown = args.at(-1);
  const pattern: unknown = Array.isArray(given) ? given.at(-1) : undefined;
  if (!isNode(pattern) || pattern.op !== 'value' || typeof pattern.args !== 'string')
    throw new ExpressionError('its pattern is not known beforehand', start + 1, 'give matches() a text in quotes');
  try {
    new RegExp(pattern.args);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ExpressionError(why, pattern.start + 1, 'write a regular expression; \\ before a character means itself');
  }
}

function evaluate({ start, end }: Node, source: string, groupBy: Grouping | null): void {
  try {
    environment(groupBy).parse(source.slice(start, end))();
  } catch (error) {
    if (!(error instanceof EvaluationError)) return; // a piece of a macro does not stand by itself
    throw new ExpressionError(error.summary, start + 1, 'it would fail whenever the rule is judged');
  }
}

/** Identifiers of an expression: fields, and names that macros bind. */
function namesIn(node: ASTNode): Set<string> {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    else if (typeof value === 'object' && value !== null && 'op' in value && 'args' in value) {
      if (value.op === 'id') names.add(String(value.args));
      else walk(value.args);
    }
  };
  walk(node);
  return names;
}
