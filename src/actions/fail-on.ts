// SPDX-License-Identifier: MIT
/** `--fail-on RULE`: a session that is a finding when a rule fires in it. */

import type { Pipeline } from '../core/aggregate/pipeline.js';
import { AlertEngine } from '../core/alerts/engine.js';
import { type AlertEvent, alertText } from '../core/alerts/event.js';
import type { AlertRule } from '../core/alerts/rule.js';
import { Checker } from '../core/check/checker.js';
import type { EventBatch } from '../core/events/batch.js';
import type { SessionInfo } from '../core/events/session.js';
import { ExitCode, UserError } from '../errors.js';
import { compileCondition, ExpressionError } from './cel.js';
import { wallTime } from './message.js';
import { loadRules, wantsCheck } from './rules.js';
import { AlertWatch } from './watch.js';

/** Every rule of the set. */
const ANY = 'any';

/**
 * The rules that are meant; null where none was asked for. `wanted`: names of rules of the set, `any`, or expressions; what
 * is neither is an error. `path`: the file of the set, undefined for the default one. Rejects with a `UserError` (exit code 2).
 */
export async function failOnRules(
  wanted: readonly string[] | undefined,
  path: string | undefined,
): Promise<readonly AlertRule[] | null> {
  if (wanted === undefined) {
    if (path === undefined) return null;
    throw new UserError('cannot use --rules', 'no --fail-on names a rule of it', 'add --fail-on RULE', ExitCode.Usage);
  }
  const rules = await loadRules(path);
  return [...new Set(wanted.flatMap((word, i) => meant(word, rules, i)))];
}

function meant(word: string, rules: readonly AlertRule[], index: number): readonly AlertRule[] {
  if (word === ANY) return rules;
  const named = rules.find(({ name }) => name === word);
  if (named !== undefined) return [named];
  try {
    if (/^[\w-]*$/.test(word)) throw new ExpressionError('there is no such rule', 0, '');
    return [fromExpression(word, index)];
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const names = [...rules.map(({ name }) => name), ANY].join(', ');
    const remedy = [error.remedy, `rules: ${names}`].filter((words) => words !== '').join('; ');
    throw new UserError(`cannot use --fail-on ${JSON.stringify(word)}`, error.message, remedy, ExitCode.Usage);
  }
}

/** One interval in which the expression holds is enough. */
function fromExpression(source: string, index: number): AlertRule {
  return {
    name: `fail-on-${index + 1}`,
    summary: source,
    severity: 'critical',
    groupBy: null,
    forNs: 0,
    clearForNs: 0,
    cooldownNs: 0,
    when: compileCondition(source, null),
    clear: null,
  };
}

/** Stands between the source and the pipeline. */
export class FailOn {
  readonly #session: SessionInfo;
  readonly #watch: AlertWatch;
  readonly #fired: AlertEvent[] = [];
  #alerts = 0;

  constructor(session: SessionInfo, pipeline: Pipeline, rules: readonly AlertRule[]) {
    this.#session = session;
    this.#watch = new AlertWatch(pipeline, new AlertEngine(rules), {
      ...(wantsCheck(rules) ? { checker: new Checker(session) } : {}),
      onEvents: (events) => {
        for (const event of events) if (event.kind === 'firing') this.#note(event);
      },
    });
  }

  /** Pushes the batch into the pipeline as well. */
  push(batch: EventBatch): void {
    this.#watch.push(batch);
  }

  /** No more batches will come. Returns what fired, in lines: the first alert of each rule; none when nothing did. */
  finish(): string[] {
    this.#watch.finish();
    const lines = this.#fired.map((event) => {
      const at = wallTime(this.#session, event.time);
      return `at ${(event.time / 1e9).toFixed(3)} s${at === '' ? '' : ` (${at})`}: ${alertText(event)}`;
    });
    const more = this.#alerts - this.#fired.length;
    return more > 0 ? [...lines, `${more} more ${more === 1 ? 'time' : 'times'}, by these rules`] : lines;
  }

  #note(event: AlertEvent): void {
    this.#alerts++;
    if (!this.#fired.some(({ rule }) => rule === event.rule)) this.#fired.push(event);
  }
}
