// SPDX-License-Identifier: MIT
/** Memory against a little CPU: what shows for hours beside the work it watches should be small. */
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * V8 lets its heap grow to several times what is alive before it collects. These keep the nursery as it is by now and
 * collect sooner. Heuristics both, read at each collection, so they may be set while it runs. (`--optimize-for-size`
 * would save more, and double the CPU time.)
 */
function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=20');
}

/**
 * Loads a command whose process is to stay small. The fold comes first: what that takes lets the nursery grow to 4 MiB,
 * which suffices where records are used again. With the 16 MiB that it would have when all is loaded, a dashboard over
 * 100 000 events a second came to 132 MiB instead of 105, for no CPU time that could be measured (`make bench`).
 * A command that does not stay (`stays` may be an `isTTY`, which is undefined of a file) is loaded and no more.
 */
export async function loadSmall<Command>(load: () => Promise<Command>, stays: boolean | undefined): Promise<Command> {
  if (stays) {
    await import('../../src/core/aggregate/pipeline.js');
    keepHeapSmall();
  }
  return load();
}

/** What the two halves of the nursery take together. */
const NURSERY_BYTES = 16 * 2 ** 20;
const LOOK_MS = 250;

/** It grows up to there and no further. V8 takes some of it away where little is done, so it is looked at now and then. */
function holdNursery(): void {
  const nursery = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
  setFlagsFromString(`--semi-space-growth-factor=${nursery < NURSERY_BYTES ? 2 : 1}`);
}

/**
 * For a process that works all the time and has a budget of resident memory. What lives for a fault or a task is used
 * again, so half of the nursery that V8 would take suffices: of 4, 8 and 16 MiB a half, 8 takes least CPU time under a storm
 * of swap faults, no more with threads that come and go, and 16 MiB less memory than 16.
 */
export function boundHeap(): void {
  setFlagsFromString('--heap-growing-percent=60');
  holdNursery();
  setInterval(holdNursery, LOOK_MS).unref();
}
