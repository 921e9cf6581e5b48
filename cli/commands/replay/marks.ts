// SPDX-License-Identifier: MIT
/** What is on the time line of a replay beside its losses: found while it is already shown, in one pass over the recording. */
import type { EventBatch } from '../../../src/core/events/batch.js';
import type { Source } from '../../../src/core/events/source.js';
import type { Replay } from '../../../src/recording/play/replay.js';
import type { Marker } from '../../../src/recording/read/marks.js';
import { feed } from '../../common/feed.js';

/** Finds moments worth a marker in the rows of a recording. */
export interface MarkFinder {
  push(batch: EventBatch): void;
  /** Of all rows pushed; nothing follows. */
  markers(): readonly Marker[];
}

/**
 * Gives each finder what `source` gives, which must be what is replayed, and adds their markers.
 * Settles when it is through or `stopped` says so; damage of the source is not reported again.
 */
export async function markRecording(
  replay: Replay,
  source: Source,
  finders: readonly MarkFinder[],
  stopped: () => boolean,
): Promise<void> {
  const push = (batch: EventBatch): void => {
    for (const finder of finders) finder.push(batch);
  };
  await feed(source, { push }, { stopped });
  await source.close();
  if (stopped()) return;
  const markers = finders.flatMap((finder) => finder.markers());
  if (markers.length > 0) replay.addMarkers(markers);
}
