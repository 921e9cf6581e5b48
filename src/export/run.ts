// SPDX-License-Identifier: MIT
/** A recording into a format, batch by batch: what is in memory does not grow with the recording. */
import { NODE_CLOCK } from '../clock.js';
import { Pipeline } from '../core/aggregate/pipeline.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { EventBatch } from '../core/events/batch.js';
import { drive } from '../core/events/drive.js';
import type { Source } from '../core/events/source.js';
import type { Output } from '../output/output.js';
import type { TableName, Weight } from './base/choices.js';
import { Context } from './base/context.js';
import { type Losses, lossesOf } from './base/losses.js';
import { FORMATS, type Format } from './formats.js';

export interface Progress {
  /** Recorded rows read. */
  readonly events: number;
  /** Rows, or slices' lifecycles and writers, made. */
  readonly rows: number;
  readonly bytes: number;
  /** Time within the recording, ns. */
  readonly time: number;
}

export interface ExportOptions {
  readonly format: Format;
  /** Of parquet, jsonl and csv alone. */
  readonly table: TableName;
  /** Of folded and pprof alone. Default: count. */
  readonly weight?: Weight;
  readonly output: Output;
  /** Called between batches, at most every `PROGRESS_MS`. */
  readonly onProgress?: (progress: Progress) => void;
  /** Asked between batches; true ends the export: `stopped` of its result. */
  readonly stopped?: () => boolean;
  /** Why the recording ends early, asked at its end; null for a whole one. */
  readonly truncated?: () => string | null;
}

export interface ExportResult extends Progress {
  readonly losses: Losses;
  readonly stopped: boolean;
  /** What the recording ended with; null when it ended well. What came before it was exported. */
  readonly error: unknown;
}

const PROGRESS_MS = 200;

/**
 * Exports all of `source`. Never throws for what the source does: a damaged end leaves the good part.
 * Rejects when the output does; it is then abandoned, as it is when the export was stopped.
 */
export async function runExport(source: Source, options: ExportOptions): Promise<ExportResult> {
  const { output } = options;
  try {
    const result = await pump(source, options);
    await (result.stopped ? output.abandon() : output.finish());
    return result;
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

async function pump(source: Source, options: ExportOptions): Promise<ExportResult> {
  const context = new Context(source.session);
  const { format, output, table, weight = 'count' } = options;
  const exporter = await FORMATS[format].make({ context, output, table, weight });
  const pipeline = new Pipeline(source.session, { onClosed: (lifecycle) => exporter.lifecycle(lifecycle) });
  const isStopped = options.stopped ?? ((): boolean => false);
  let events = 0;
  let time = 0;
  // The first batch is worth a word at once.
  let due = performance.now();
  const progress = (): Progress => ({ events, rows: exporter.rows, bytes: options.output.bytes, time });
  const push = async (batch: EventBatch): Promise<void> => {
    context.observe(batch);
    exporter.batch(batch);
    pipeline.push(batch);
    await exporter.drain();
    events += batch.length;
    if (batch.length > 0) time = Math.max(time, batch.time[batch.length - 1] as number);
    if (performance.now() >= due) {
      options.onProgress?.(progress());
      due = performance.now() + PROGRESS_MS;
    }
  };
  // An output that fails ends the export: it rejects.
  const { error } = await drive(source, push, NODE_CLOCK, { stopped: isStopped });
  // Asked again: a source that was closed ends of itself.
  const stopped = isStopped();
  for (const lifecycle of pipeline.open()) exporter.lifecycle(lifecycle);
  const snapshot: Snapshot = pipeline.snapshot();
  const losses = lossesOf(snapshot, stopped ? null : (options.truncated?.() ?? null));
  if (!stopped) await exporter.finish(losses, snapshot.time);
  return { ...progress(), losses, stopped, error };
}
