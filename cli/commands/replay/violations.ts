// SPDX-License-Identifier: MIT
/** Violated rules of `check` as markers on the time line of a replay: the first violation of each. */
import { Checker } from '../../../src/core/check/checker.js';
import type { SessionInfo } from '../../../src/core/events/session.js';
import type { Marker, MarkFinder } from '../../../src/recording/read/marks.js';

export function findViolations(session: SessionInfo): MarkFinder {
  const checker = new Checker(session);
  return {
    push(batch) {
      checker.push(batch);
    },
    markers() {
      checker.finish();
      const markers: Marker[] = [];
      for (const { rule, example } of checker.report().rules) {
        const step = example?.steps[example.at];
        if (example === undefined || step === undefined) continue;
        markers.push({ time: Math.max(0, step.timeNs), kind: 'violation', text: `rule ${rule}: ${example.words}` });
      }
      return markers;
    },
  };
}
