// SPDX-License-Identifier: MIT
/**
 * What the daemon follows as Parquet, by table and hour, for programs that ship files:
 * `TABLE/date=2026-11-23/hour=14/HOST-BOOT-000001.parquet`. A file is there when it is whole, and nothing is added to it.
 */
import { randomBytes } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventBatch } from '../core/events/batch.js';
import type { SessionInfo } from '../core/events/session.js';
import type { Lifecycle } from '../core/lifecycle/lifecycle.js';
import { errorCode } from '../errors.js';
import type { TableName } from '../export/base/choices.js';
import { Context } from '../export/base/context.js';
import type { Exporter } from '../export/base/exporter.js';
import type { Losses } from '../export/base/losses.js';
import { parquetExporter } from '../export/tables/parquet.js';
import { isLeftOver, isOld } from '../output/new-file.js';
import { fileOutput, type Output } from '../output/output.js';
import { removeFile } from '../recording/format/files.js';

/** Stacks are counted over a whole session, and events are what a recording is for. */
export type LakeTable = Extract<TableName, 'lifecycles' | 'attempts' | 'waits'>;
export const LAKE_TABLES: readonly LakeTable[] = ['lifecycles', 'attempts', 'waits'];

export interface LakeOptions {
  readonly directory: string;
  readonly tables: readonly LakeTable[];
  /** Bytes of files kept there; the oldest go. */
  readonly size: number;
}

/** Lifecycles that wait for the disk; beyond, they are dropped and counted: the ring is drained whatever the disk does. */
const MAX_WAITING = 65_536;
/** A part is closed when it has that many bytes, also within the hour: a reader takes it whole. */
const PART_BYTES = 64 << 20;
const HOUR_NS = 3_600_000_000_000n;
const FOLDER = /^(date|hour)=/;
const NAME = /^.*-\d{6,}\.parquet$/;

interface Part {
  readonly hour: bigint;
  readonly tables: { readonly exporter: Exporter; readonly output: Output }[];
  /** Lifecycles in it. */
  rows: number;
}

export class Lake {
  readonly figures: { parts: number; dropped: number; failed: number; removed: number } = {
    parts: 0,
    dropped: 0,
    failed: 0,
    removed: 0,
  };
  readonly #options: LakeOptions;
  readonly #context: Context;
  readonly #losses: () => Losses;
  readonly #log: (line: string) => void;
  #waiting: Lifecycle[] = [];
  #work: Promise<void> = Promise.resolve();
  #busy = false;
  #part: Part | null = null;
  /** Distinguishes this run's files from those of one before: in a container the pid is always the same. */
  readonly #run: string = randomBytes(4).toString('hex');
  #number = 0;
  #failing = false;
  #time = 0;

  constructor(session: SessionInfo, options: LakeOptions, losses: () => Losses, log: (line: string) => void) {
    this.#options = options;
    // Its clocks grow with the pipeline's, which has the same session.
    this.#context = new Context(session);
    this.#losses = losses;
    this.#log = log;
  }

  /** Names, before the lifecycles of this batch. Returns at once. */
  batch(batch: EventBatch): void {
    this.#context.observe(batch);
    if (batch.length > 0) this.#time = Math.max(this.#time, batch.time[batch.length - 1] as number);
    this.#next();
  }

  /** A lifecycle that is over. Returns at once. */
  lifecycle(lifecycle: Lifecycle): void {
    if (this.#waiting.length >= MAX_WAITING) this.figures.dropped++;
    else this.#waiting.push(lifecycle);
  }

  /** Settles when what is being written now is. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** The session is over: what waits is written, and the parts are closed. */
  async close(): Promise<void> {
    await this.#work;
    await this.#guard(() => this.#write());
    await this.#guard(() => this.#closePart());
  }

  /** The hour by the session's clock; null while it has none. */
  #hour(time: number): bigint | null {
    const at = this.#context.wallClock(time);
    return at === null ? null : at / HOUR_NS;
  }

  /** One write at a time, beside the drain. */
  #next(): void {
    const hour = this.#hour(this.#time);
    const due = this.#part !== null && hour !== null && hour > this.#part.hour;
    if (this.#busy || (this.#waiting.length === 0 && !due)) return;
    this.#busy = true;
    this.#work = this.#guard(() => this.#write()).then(() => {
      this.#busy = false;
    });
  }

  /** A lifecycle goes into the hour it ended in; one that comes after that hour was closed, into the next. */
  async #write(): Promise<void> {
    const rows = this.#waiting;
    const now = this.#hour(this.#time);
    if (now === null) return;
    this.#waiting = [];
    let taken = 0;
    try {
      for (const row of rows) {
        const hour = this.#hour(row.last) ?? now;
        if (this.#part !== null && hour > this.#part.hour) await this.#closePart();
        this.#part ??= await this.#open(hour);
        for (const { exporter } of this.#part.tables) exporter.lifecycle(row);
        this.#part.rows++;
        taken++;
      }
    } finally {
      // What no part took; what a part took and lost is counted with it.
      this.figures.dropped += rows.length - taken;
    }
    for (const { exporter } of this.#part?.tables ?? []) await exporter.drain();
    const full = this.#part?.tables.some(({ output }) => output.bytes > PART_BYTES) ?? false;
    if (this.#part !== null && (full || now > this.#part.hour)) await this.#closePart();
    this.#failing = false;
  }

  async #open(hour: bigint): Promise<Part> {
    const { host, bootId } = this.#context.session;
    const iso = new Date(Number(hour * (HOUR_NS / 1_000_000n))).toISOString();
    const name = `${host.replace(/[^\w.-]/g, '_')}-${bootId.slice(0, 8)}-${this.#run}-${String(++this.#number).padStart(6, '0')}.parquet`;
    const part: Part = { hour, tables: [], rows: 0 };
    try {
      for (const table of this.#options.tables) {
        const folder = join(this.#options.directory, table, `date=${iso.slice(0, 10)}`, `hour=${iso.slice(11, 13)}`);
        await mkdir(folder, { recursive: true, mode: 0o750 });
        const output = await fileOutput(join(folder, name));
        part.tables.push({ output, exporter: await parquetExporter(table, this.#context, output) });
      }
    } catch (error) {
      await this.#abandon(part);
      throw error;
    }
    return part;
  }

  async #closePart(): Promise<void> {
    const part = this.#part;
    if (part === null) return;
    this.#part = null;
    const losses = this.#losses();
    try {
      for (const { exporter, output } of part.tables) {
        await exporter.finish(losses, this.#time);
        await output.finish();
        this.figures.parts++;
      }
    } catch (error) {
      await this.#abandon(part);
      throw error;
    }
    await this.#shrink();
  }

  /** Its lifecycles are missing from one table at least. */
  async #abandon(part: Part): Promise<void> {
    this.figures.dropped += part.rows;
    for (const { output } of part.tables) await output.abandon();
  }

  /**
   * Deletes the oldest of ours beyond `size`, what a killed daemon left, and folders of hours that are empty by now. A shipper
   * may take files, and folders, away meanwhile. Links are not followed.
   */
  async #shrink(): Promise<void> {
    const { directory, tables, size } = this.#options;
    const files: { path: string; bytes: number; at: number }[] = [];
    for (const table of tables) {
      // From the innermost on: a folder is empty when what was in it has gone.
      for (const { parentPath, name } of (await entries(join(directory, table))).reverse()) {
        const path = join(parentPath, name);
        const found = await lstat(path).catch(() => null);
        if (found?.isDirectory() && FOLDER.test(name) && isOld(found.mtimeMs)) await rmdir(path).catch(() => {});
        if (!found?.isFile()) continue;
        if (isLeftOver(name, found.mtimeMs)) await removeFile(path);
        else if (NAME.test(name)) files.push({ path, bytes: found.size, at: found.mtimeMs });
      }
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of files.sort((x, y) => x.at - y.at || (x.path < y.path ? -1 : 1))) {
      if (total <= size) return;
      await removeFile(path);
      total -= bytes;
      this.figures.removed++;
    }
  }

  /** What the disk refuses costs the part, and is said once until it takes files again. */
  async #guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.figures.failed++;
      if (!this.#failing) this.#log(`lake: ${error instanceof Error ? error.message : String(error)}`);
      this.#failing = true;
      const part = this.#part;
      this.#part = null;
      if (part !== null) await this.#abandon(part);
    }
  }
}

/** What is below `folder`; a folder that goes while it is read has nothing. With types, Node does not go into links. */
async function entries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
