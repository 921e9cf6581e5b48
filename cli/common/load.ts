// SPDX-License-Identifier: MIT
/** A recording read once, for comparing: its snapshot, and its figures over time. Memory does not grow with it. */
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { Collector } from '../../src/core/aggregate/series/collector.js';
import type { Recorded } from '../../src/core/diff/compare.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { Source } from '../../src/core/events/source.js';
import type { StackSample, StackSamples } from '../../src/core/present/stack-samples.js';
import { feed } from './feed.js';

export interface Loaded extends Recorded {
  /** What the recording ended with; null when it ended well. What came before it is in. */
  readonly error: unknown;
  /** Empty where they were not asked for. */
  readonly samples: readonly StackSample[];
}

export interface LoadOptions {
  readonly stopped?: () => boolean;
  /** Asked once the recording has ended: why it did so early. */
  truncated?(source: Source): string | null;
  /** Gathers stacks on the way. */
  readonly samples?: (source: Source) => StackSamples;
}

/** Never throws for what the source does: a damaged end leaves the good part. */
export async function load(source: Source, options: LoadOptions = {}): Promise<Loaded> {
  const collector = new Collector();
  const samples = options.samples?.(source);
  const pipeline = new Pipeline(source.session, {
    onClosed: (lifecycle) => {
      collector.lifecycle(lifecycle);
      samples?.lifecycle(lifecycle);
    },
  });
  const push = (batch: EventBatch): void => {
    collector.batch(batch);
    samples?.batch(batch);
    pipeline.push(batch);
  };
  const { error } = await feed(source, { push }, { stopped: options.stopped });
  for (const lifecycle of pipeline.open()) samples?.lifecycle(lifecycle);
  return {
    samples: samples?.samples() ?? [],
    snapshot: pipeline.snapshot(),
    series: collector.series,
    truncated: options.truncated?.(source) ?? null,
    error,
  };
}
