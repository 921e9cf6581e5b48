// SPDX-License-Identifier: MIT
/** Formats that are made of all stacks at once: they gather, and write at the end. */

import type { EventBatch } from '../../core/events/batch.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { type StackSample, StackSamples } from '../../core/present/stack-samples.js';
import type { Output } from '../../output/output.js';
import type { Weight } from '../base/choices.js';
import type { Context } from '../base/context.js';
import type { Exporter } from '../base/exporter.js';
import type { Losses } from '../base/losses.js';
import { foldedText } from './folded.js';
import { pprofBytes } from './pprof.js';

type Write = (samples: readonly StackSample[], losses: Losses, time: number) => Uint8Array;

class StackExporter implements Exporter {
  rows = 0;
  readonly #samples: StackSamples;
  readonly #output: Output;
  readonly #write: Write;

  constructor(context: Context, output: Output, write: Write) {
    this.#samples = new StackSamples(context.session.arch);
    this.#output = output;
    this.#write = write;
  }

  batch(batch: EventBatch): void {
    this.#samples.batch(batch);
  }

  lifecycle(lifecycle: Lifecycle): void {
    this.#samples.lifecycle(lifecycle);
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  async finish(losses: Losses, time: number): Promise<void> {
    const samples = this.#samples.samples();
    this.rows = samples.length;
    await this.#output.write(this.#write(samples, losses, time));
  }
}

/** Lines of `a;b;c 17`, as flamegraph.pl, inferno and speedscope read them. */
export function foldedExporter(context: Context, output: Output, weight: Weight): Exporter {
  return new StackExporter(context, output, (samples) => Buffer.from(foldedText(samples, weight)));
}

/** profile.proto, gzipped, as `go tool pprof`, Pyroscope, Parca and speedscope read it. */
export function pprofExporter(context: Context, output: Output, weight: Weight): Exporter {
  return new StackExporter(context, output, (samples, losses, time) =>
    pprofBytes(samples, { session: context.session, began: context.wallClock(0), durationNs: time, losses, weight }),
  );
}
