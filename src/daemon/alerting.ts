// SPDX-License-Identifier: MIT
/** Alert rules over the daemon's session, and what is done about them. */
import { wantsCheck } from '../actions/rules.js';
import { type ActionDeps, ActionRunner, type ActionStats } from '../actions/runner.js';
import { AlertWatch } from '../actions/watch.js';
import type { Pipeline } from '../core/aggregate/pipeline.js';
import { AlertEngine } from '../core/alerts/engine.js';
import { type AlertStatus, isOut } from '../core/alerts/event.js';
import { Checker } from '../core/check/checker.js';
import type { EventBatch } from '../core/events/batch.js';
import { counter, type Family, gauge, type Sample, single } from '../metrics/family.js';
import type { Loaded } from './read-config.js';

const RESULTS = ['done', 'failed', 'dropped'] as const;

export class Alerting {
  readonly #pipeline: Pipeline;
  readonly #deps: ActionDeps;
  readonly #fired: Map<string, number> = new Map();
  #watch: AlertWatch;
  #runner: ActionRunner;

  constructor(loaded: Loaded, pipeline: Pipeline, deps: ActionDeps) {
    this.#pipeline = pipeline;
    this.#deps = deps;
    this.#runner = new ActionRunner(loaded.actions, deps);
    this.#watch = this.#begin(loaded);
  }

  /** Pushes the batch into the pipeline; it is not to be pushed by anybody else. */
  push(batch: EventBatch): void {
    this.#watch.push(batch);
  }

  /** Rules that stay as they were keep their state; those that went are over, as the actions hear that they had. What these have to do still, they do. */
  reload(loaded: Loaded): void {
    const { time } = this.#pipeline.figures();
    const [runner, { engine }] = [this.#runner, this.#watch];
    this.#runner = new ActionRunner(loaded.actions, this.#deps);
    this.#watch = this.#begin(loaded, time);
    runner.handle(this.#watch.engine.takeOver(engine, time));
    void runner.close();
  }

  /** Alerts that are firing. */
  out(): AlertStatus[] {
    return this.#watch.engine.status().filter(({ phase }) => isOut(phase));
  }

  families(): Family[] {
    const { engine } = this.#watch;
    const out = this.out();
    const byRule = (value: (rule: string) => number): Sample[] =>
      engine.rules.map(({ name, severity }) => ({ labels: { rule: name, severity }, value: value(name) }));
    return [
      gauge(
        'alerts_firing',
        'Alerts that are firing; of a rule with groups, those of all of them.',
        byRule((name) => out.filter(({ rule }) => rule === name).length),
      ),
      counter(
        'alerts_fired',
        'Times an alert began to fire.',
        byRule((name) => this.#fired.get(name) ?? 0),
      ),
      counter('alert_actions', 'Actions of alerts, by their outcome.', actionSamples(this.#runner.stats())),
      counter('alert_groups_forgotten', 'Groups a rule did not follow: too many at once.', single(engine.forgotten)),
    ];
  }

  /** Judges what is left, and lets actions that are under way end, within a few seconds. */
  async close(): Promise<void> {
    this.#watch.finish();
    await this.#runner.close();
  }

  #begin({ rules, config }: Loaded, fromNs = 0): AlertWatch {
    return new AlertWatch(this.#pipeline, new AlertEngine(rules), {
      fromNs,
      stepNs: config.alerts.interval * 1e9,
      ...(wantsCheck(rules) ? { checker: new Checker(this.#deps.session) } : {}),
      onEvents: (events) => {
        for (const { kind, rule } of events)
          if (kind === 'firing') this.#fired.set(rule, (this.#fired.get(rule) ?? 0) + 1);
        this.#runner.handle(events);
      },
    });
  }
}

/** By kind of action: those of one kind together. */
function actionSamples(stats: readonly ActionStats[]): Sample[] {
  return [...new Set(stats.map(({ type }) => type))].flatMap((action) =>
    RESULTS.map((result) => ({
      labels: { action, result },
      value: stats.filter(({ type }) => type === action).reduce((sum, row) => sum + row[result], 0),
    })),
  );
}
