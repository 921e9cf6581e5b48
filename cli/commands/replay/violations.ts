// SPDX-License-Identifier: MIT
/** Puts violated rules of `check` on the time line of a replay, while it is already shown. */
import { Checker } from '../../../src/core/check/checker.js';
import type { Source } from '../../../src/core/events/source.js';
import type { Replay } from '../../../src/recording/play/replay.js';
import type { Marker } from '../../../src/recording/read/marks.js';
import { feed } from '../../common/feed.js';

/**
 * Checks what `source` gives, which must be what is replayed, and adds a marker for the first violation of each rule.
 * Settles when it is through or `stopped` says so; damage of the source is not reported again.
 */
export async function markViolations(replay: Replay, source: Source, stopped: () => boolean): Promise<void> {
  const checker = new Checker(source.session);
  await feed(source, checker, { stopped });
  await source.close();
  if (stopped()) return;
  checker.finish();
  const markers: Marker[] = [];
  for (const { rule, example } of checker.report().rules) {
    const step = example?.steps[example.at];
    if (example === undefined || step === undefined) continue;
    markers.push({ time: Math.max(0, step.timeNs), kind: 'violation', text: `rule ${rule}: ${example.words}` });
  }
  if (markers.length > 0) replay.addMarkers(markers);
}
