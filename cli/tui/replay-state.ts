// SPDX-License-Identifier: MIT
/** A replay as one frame shows it, and what is said when it opens. */
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { formatDuration } from '../../src/core/present/format.js';
import { sanitise } from '../../src/core/present/text.js';
import type { ViewState } from '../../src/core/view/state.js';
import type { Replay } from '../../src/recording/play/replay.js';

export function openingWords({ comm, tid, first, last }: Lifecycle): string {
  return `in the longest fault: ${sanitise(comm)} ${tid}, ${formatDuration(last - first)}; g -0 goes to the end`;
}

export function replayState({
  position,
  duration,
  atEnd,
  speed,
  paused,
  reading,
  seeking,
  markers,
}: Replay): ViewState['replay'] {
  return { position, duration, atEnd, speed, paused, reading, seeking, markers };
}
