// SPDX-License-Identifier: MIT
/** The text formats: JSON Lines, where a lifecycle is whole, and CSV, which is flat. */
import type { EventBatch } from '../../core/events/batch.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { csvCell, jsonOf } from '../../core/present/clean.js';
import type { Output } from '../../output/output.js';
import type { TableName } from '../base/choices.js';
import { asText, type Column } from '../base/column.js';
import type { Context } from '../base/context.js';
import type { Exporter } from '../base/exporter.js';
import type { Losses } from '../base/losses.js';
import { attemptOwnColumns, attemptRows } from './attempts.js';
import { COLUMNS, ofTable, type RowMaker } from './tables.js';
import { waitOwnColumns, waitRows } from './waits.js';

/** Text gathers to about this much before it is written. */
const CHUNK_CHARS = 256 * 1024;

interface LineFormat {
  head(context: Context): string;
  row<Row>(table: TableName, columns: readonly Column<Row>[], row: Row, context: Context): string;
  tail(losses: Losses): string;
}

type Plain = string | number | boolean | null;

function object<Row>(columns: readonly Column<Row>[], row: Row, context: Context): Record<string, Plain> {
  return Object.fromEntries(columns.map(({ name, type, get }) => [name, asText(type, get(row, context))]));
}

const LINE_TYPES: Readonly<Record<TableName, string>> = {
  lifecycles: 'lifecycle',
  attempts: 'attempt',
  waits: 'wait',
  stacks: 'stack',
  events: 'event',
};

/** Each line says by its `type` what it is: first the session, then rows, last the losses. */
const jsonLines: LineFormat = {
  head: ({ session }) => jsonOf({ type: 'session', v: 1, session }),
  row(table, columns, row, context) {
    const line: Record<string, unknown> = { type: LINE_TYPES[table], ...object(columns, row, context) };
    if (table === 'lifecycles') {
      const lifecycle = row as Lifecycle;
      line.attempts = attemptRows(lifecycle).map((attempt) => object(attemptOwnColumns, attempt, context));
      line.waits = waitRows(lifecycle).map((wait) => object(waitOwnColumns, wait, context));
    }
    return jsonOf(line);
  },
  tail: (losses) => jsonOf({ type: 'losses', ...losses }),
};

function csv(table: TableName): LineFormat {
  return {
    head: () => `${COLUMNS[table].map(({ name }) => name).join(',')}\n`,
    row: (_, columns, row, context) =>
      `${columns.map(({ type, get }) => csvCell(asText(type, get(row, context)))).join(',')}\n`,
    tail: () => '',
  };
}

class TextExporter<Row> implements Exporter {
  rows = 0;
  readonly #format: LineFormat;
  readonly #table: TableName;
  readonly #columns: readonly Column<Row>[];
  readonly #rows: RowMaker<Row>;
  readonly #context: Context;
  readonly #output: Output;
  readonly #encoder = new TextEncoder();
  #text: string[] = [];
  #chars = 0;

  constructor(
    format: LineFormat,
    table: TableName,
    columns: readonly Column<Row>[],
    rows: RowMaker<Row>,
    context: Context,
    output: Output,
  ) {
    this.#format = format;
    this.#table = table;
    this.#columns = columns;
    this.#rows = rows;
    this.#context = context;
    this.#output = output;
    this.#add(format.head(context));
  }

  batch(batch: EventBatch): void {
    this.#put(this.#rows.batch(batch));
  }

  lifecycle(lifecycle: Lifecycle): void {
    this.#put(this.#rows.lifecycle(lifecycle));
  }

  async drain(): Promise<void> {
    if (this.#chars >= CHUNK_CHARS) await this.#flush();
  }

  async finish(losses: Losses): Promise<void> {
    this.#put(this.#rows.end());
    this.#add(this.#format.tail(losses));
    await this.#flush();
  }

  #put(rows: Iterable<Row>): void {
    for (const row of rows) {
      this.rows++;
      this.#add(this.#format.row(this.#table, this.#columns, row, this.#context));
    }
  }

  #add(text: string): void {
    this.#text.push(text);
    this.#chars += text.length;
  }

  async #flush(): Promise<void> {
    const text = this.#text.join('');
    this.#text = [];
    this.#chars = 0;
    if (text !== '') await this.#output.write(this.#encoder.encode(text));
  }
}

function textExporter(format: LineFormat, table: TableName, context: Context, output: Output): Exporter {
  return ofTable<Exporter>(
    table,
    context,
    (columns, rows) => new TextExporter(format, table, columns, rows, context, output),
  );
}

export function jsonlExporter(table: TableName, context: Context, output: Output): Exporter {
  return textExporter(jsonLines, table, context, output);
}

export function csvExporter(table: TableName, context: Context, output: Output): Exporter {
  return textExporter(csv(table), table, context, output);
}
