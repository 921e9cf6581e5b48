// SPDX-License-Identifier: MIT
/** A recording into a format, batch by batch: what is in memory does not grow with the recording. */
import { NODE_CLOCK } from '../clock.js';
import { Pipeline } from '../core/aggregate/pipeline.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { EventBatch } from '../core/events/batch.js';
import { drive } from '../core/events/drive.js';
import type { Source } from '../core/events/source.js';
import type { Output } from '../output/output.js';
import { Context } from './base/context.js';
import type { Exporter } from './base/exporter.js';
import { type Losses, lossesOf } from './base/losses.js';
import type { Weight } from './stacks/exporter.js';
import type { TableName } from './tables/tables.js';

export const FORMATS = ['perfetto', 'parquet', 'jsonl', 'csv', 'folded', 'pprof', 'recording'] as const;
export type Format = (typeof FORMATS)[number];

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

async function makeExporter(options: ExportOptions, context: Context): Promise<Exporter> {
  const { format, table, output, weight = 'count' } = options;
  switch (format) {
    case 'perfetto':
      return new (await import('./perfetto/exporter.js')).PerfettoExporter(context, output);
    case 'parquet':
      return (await import('./tables/parquet.js')).parquetExporter(table, context, output);
    case 'jsonl':
      return (await import('./tables/text.js')).jsonlExporter(table, context, output);
    case 'csv':
      return (await import('./tables/text.js')).csvExporter(table, context, output);
    case 'folded':
      return (await import('./stacks/exporter.js')).foldedExporter(context, output, weight);
    case 'pprof':
      return (await import('./stacks/exporter.js')).pprofExporter(context, output, weight);
    case 'recording':
      return (await import('./recording.js')).recordingExporter(context.session, output);
  }
}

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
  const exporter = await makeExporter(options, context);
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
