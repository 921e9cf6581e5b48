// SPDX-License-Identifier: MIT
/** Formats of `export`: a row each. A row's code is loaded when it is asked for, so the command line can list the rows. */
import type { Output } from '../output/output.js';
import type { TableName, Weight } from './base/choices.js';
import type { Context } from './base/context.js';
import type { Exporter } from './base/exporter.js';

/** What is exported, and where to. */
export interface Wanted {
  readonly context: Context;
  readonly output: Output;
  readonly table: TableName;
  readonly weight: Weight;
}

interface FormatRow {
  /** Not to be written to a terminal. */
  readonly binary: boolean;
  /** What `--table` or `--weight` chooses among; null where neither says anything. */
  readonly of: 'table' | 'weight' | null;
  make(wanted: Wanted): Promise<Exporter>;
}

const ROWS = {
  perfetto: {
    binary: true,
    of: null,
    make: async ({ context, output }: Wanted): Promise<Exporter> =>
      new (await import('./perfetto/exporter.js')).PerfettoExporter(context, output),
  },
  parquet: {
    binary: true,
    of: 'table',
    make: async ({ context, output, table }: Wanted): Promise<Exporter> =>
      (await import('./tables/parquet.js')).parquetExporter(table, context, output),
  },
  jsonl: {
    binary: false,
    of: 'table',
    make: async ({ context, output, table }: Wanted): Promise<Exporter> =>
      (await import('./tables/text.js')).jsonlExporter(table, context, output),
  },
  csv: {
    binary: false,
    of: 'table',
    make: async ({ context, output, table }: Wanted): Promise<Exporter> =>
      (await import('./tables/text.js')).csvExporter(table, context, output),
  },
  folded: {
    binary: false,
    of: 'weight',
    make: async ({ context, output, weight }: Wanted): Promise<Exporter> =>
      (await import('./stacks/exporter.js')).foldedExporter(context, output, weight),
  },
  pprof: {
    binary: true,
    of: 'weight',
    make: async ({ context, output, weight }: Wanted): Promise<Exporter> =>
      (await import('./stacks/exporter.js')).pprofExporter(context, output, weight),
  },
  recording: {
    binary: true,
    of: null,
    make: async ({ context, output }: Wanted): Promise<Exporter> =>
      (await import('./recording.js')).recordingExporter(context.session, output),
  },
} as const;

export type Format = keyof typeof ROWS;
export const FORMATS: Readonly<Record<Format, FormatRow>> = ROWS;
export const FORMAT_NAMES: readonly Format[] = Object.keys(ROWS) as Format[];
