// SPDX-License-Identifier: MIT
/** Parquet: one table a file, zstd pages, the session and the losses in the file's metadata. */
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { EventBatch } from '../../core/events/batch.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Output } from '../../output/output.js';
import { loadZstd } from '../../recording/format/zstd.js';
import type { TableName } from '../base/choices.js';
import type { Column, ColumnType, Value } from '../base/column.js';
import type { Context } from '../base/context.js';
import type { Exporter } from '../base/exporter.js';
import type { Losses } from '../base/losses.js';
import { ofTable, type RowMaker } from './tables.js';

/** Rows held until their row group is written: readers skip whole groups, so not too few; all are in memory, so not too many. */
const GROUP_ROWS = 32_768;

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];
type Element = Schema[number];

/** Physical and logical types (parquet-format, LogicalTypes.md). */
const ELEMENTS: Readonly<Record<ColumnType, Omit<Element, 'name'>>> = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  bool: { type: 'BOOLEAN' },
  int32: { type: 'INT32' },
  uint32: { type: 'INT32', converted_type: 'UINT_32' },
  int64: { type: 'INT64' },
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  double: { type: 'DOUBLE' },
  timestamp: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' } },
};

/** As hyparquet-writer takes it: 64-bit integers are bigints. */
function physical(type: ColumnType, value: Value): Value {
  return type === 'int64' && typeof value === 'number' ? BigInt(value) : value;
}

class ParquetExporter<Row> implements Exporter {
  rows = 0;
  readonly #columns: readonly Column<Row>[];
  readonly #rows: RowMaker<Row>;
  readonly #context: Context;
  readonly #output: Output;
  readonly #bytes = new ByteWriter(1 << 20);
  readonly #writer: ParquetWriter;
  #group: Value[][];

  constructor(
    columns: readonly Column<Row>[],
    rows: RowMaker<Row>,
    context: Context,
    output: Output,
    compress: (data: Uint8Array) => Uint8Array,
  ) {
    this.#columns = columns;
    this.#rows = rows;
    this.#context = context;
    this.#output = output;
    this.#group = columns.map(() => []);
    this.#writer = new ParquetWriter({
      writer: this.#bytes,
      schema: [
        { name: 'schema', num_children: columns.length },
        ...columns.map(({ name, type }): Element => ({ name, repetition_type: 'OPTIONAL', ...ELEMENTS[type] })),
      ],
      codec: 'ZSTD',
      compressors: { ZSTD: compress },
      createdBy: context.session.tool,
    });
  }

  batch(batch: EventBatch): void {
    for (const row of this.#rows.batch(batch)) this.#add(row);
  }

  lifecycle(lifecycle: Lifecycle): void {
    for (const row of this.#rows.lifecycle(lifecycle)) this.#add(row);
  }

  async drain(): Promise<void> {
    if ((this.#group[0]?.length ?? 0) >= GROUP_ROWS) await this.#writeGroup();
  }

  async finish(losses: Losses): Promise<void> {
    for (const row of this.#rows.end()) this.#add(row);
    if ((this.#group[0]?.length ?? 0) > 0) await this.#writeGroup();
    this.#writer.kvMetadata = [
      { key: 'vmalocktop.session', value: JSON.stringify(this.#context.session) },
      { key: 'vmalocktop.losses', value: JSON.stringify(losses) },
    ];
    await this.#writer.finish();
    await this.#flush();
  }

  #add(row: Row): void {
    this.rows++;
    for (const [at, { type, get }] of this.#columns.entries()) {
      (this.#group[at] as Value[]).push(physical(type, get(row, this.#context)));
    }
  }

  async #writeGroup(): Promise<void> {
    const group = this.#group;
    this.#group = this.#columns.map(() => []);
    await this.#writer.write({
      columnData: this.#columns.map(({ name }, at) => ({ name, data: group[at] as Value[] })),
      rowGroupSize: group[0]?.length ?? 0,
    });
    await this.#flush();
  }

  /** Hands over what the writer has encoded. Its `offset`, the place in the file, goes on; its buffer begins again. */
  async #flush(): Promise<void> {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    await this.#output.write(bytes);
  }
}

export async function parquetExporter(table: TableName, context: Context, output: Output): Promise<Exporter> {
  const { compress } = await loadZstd();
  return ofTable<Exporter>(
    table,
    context,
    (columns, rows) => new ParquetExporter(columns, rows, context, output, compress),
  );
}
