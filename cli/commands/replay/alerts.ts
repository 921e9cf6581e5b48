// SPDX-License-Identifier: MIT
/** What rules say of a recording: on the time line of a replay, or in lines. */
import { wantsCheck } from '../../../src/actions/rules.js';
import { AlertWatch } from '../../../src/actions/watch.js';
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import { AlertEngine } from '../../../src/core/alerts/engine.js';
import { type AlertEvent, alertText } from '../../../src/core/alerts/event.js';
import type { AlertRule } from '../../../src/core/alerts/rule.js';
import { Checker } from '../../../src/core/check/checker.js';
import type { SessionInfo } from '../../../src/core/events/session.js';
import { type CleanText, textOf } from '../../../src/core/present/clean.js';
import type { MarkFinder } from '../../../src/recording/read/marks.js';

/** A watch that keeps its events. */
export function collectAlerts(
  session: SessionInfo,
  pipeline: Pipeline,
  rules: readonly AlertRule[],
): { readonly watch: AlertWatch; readonly events: readonly AlertEvent[] } {
  const events: AlertEvent[] = [];
  const watch = new AlertWatch(pipeline, new AlertEngine(rules), {
    ...(wantsCheck(rules) ? { checker: new Checker(session) } : {}),
    onEvents: (more) => void events.push(...more),
  });
  return { watch, events };
}

/** When alerts fired and when they were over, as markers on the time line of a replay. */
export function findAlerts(session: SessionInfo, rules: readonly AlertRule[]): MarkFinder {
  const { watch, events } = collectAlerts(session, new Pipeline(session), rules);
  return {
    push(batch) {
      watch.push(batch);
    },
    markers() {
      watch.finish();
      return events.map((event) => ({ time: event.time, kind: 'alert', text: alertText(event) }));
    },
  };
}

/** One line an event, by time; says so when there is none. */
export function alertLines(events: readonly AlertEvent[]): CleanText {
  if (events.length === 0) return textOf(['alerts: none']);
  const lines = events.map((event) => `  ${(event.time / 1e9).toFixed(3).padStart(10)} s  ${alertText(event)}`);
  return textOf(['alerts:', ...lines]);
}
