// SPDX-License-Identifier: MIT
/** Memory against a little CPU: what shows for hours beside the work it watches should be small. */
import { setFlagsFromString } from 'node:v8';

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
 */
export async function loadSmall<Command>(load: () => Promise<Command>): Promise<Command> {
  await import('../../src/core/aggregate/pipeline.js');
  keepHeapSmall();
  return load();
}

/**
 * For a process that works all the time and has a budget of resident memory: the nursery stays V8's affair. With 50 000
 * events a second of threads that come and go, 490 MiB instead of 800 and more, for a quarter more CPU time; what the
 * dashboard does would more than double that (`make soak`).
 */
export function boundHeap(): void {
  setFlagsFromString('--heap-growing-percent=60');
}
