// SPDX-License-Identifier: MIT
/** Exports of made-up recordings into memory, and the path of the bundled real one. */
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Source } from '../../src/core/events/source.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { type ExportOptions, type ExportResult, runExport } from '../../src/export/run.js';
import type { Output } from '../../src/output/output.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';

/** Recorded in a guest: Linux 7.3.4, swap to a disk. */
export const GUEST_RECORDING: string = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));

/** Likewise, with kernel and user stacks: 58 of them, of retries and of writers that waited. */
export const STACK_RECORDING: string = fileURLToPath(new URL('../../../test/golden/mixed-7.3.vmlt', import.meta.url));

export class MemoryOutput implements Output {
  bytes = 0;
  finished = false;
  abandoned = false;
  readonly chunks: Uint8Array[] = [];

  async write(data: Uint8Array): Promise<void> {
    this.chunks.push(data);
    this.bytes += data.length;
  }

  async finish(): Promise<void> {
    this.finished = true;
  }

  async abandon(): Promise<void> {
    this.abandoned = true;
  }

  all(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export function sourceOf(batches: Iterable<EventBatch>, session: SessionInfo = syntheticSession()): Source {
  return {
    session,
    async *batches(): AsyncGenerator<EventBatch> {
      yield* batches;
    },
    close: () => Promise.resolve(),
  };
}

export interface Exported extends ExportResult {
  readonly output: MemoryOutput;
}

export async function exported(
  source: Source,
  options: Pick<ExportOptions, 'format'> & Partial<ExportOptions>,
): Promise<Exported> {
  const output = new MemoryOutput();
  const result = await runExport(source, { table: 'lifecycles', output, ...options });
  return { ...result, output };
}

/** A made-up session with losses, and the faults in it. */
export const BATCHES: readonly EventBatch[] = synthesize(300, 11, { dropRate: 0.02 });

export function lifecycles(): Lifecycle[] {
  const all: Lifecycle[] = [];
  const pipeline = new Pipeline(syntheticSession(), { onClosed: (lifecycle) => all.push(lifecycle) });
  for (const batch of BATCHES) pipeline.push(batch);
  return [...all, ...pipeline.open()];
}
