// SPDX-License-Identifier: MIT
/**
 * The rows that name things (stack frames, swap devices, cgroups, handlers, processes, VMAs), what has no names, and the clock,
 * as they stand: a recording that begins later needs them too.
 */

import { createBatch, DEFAULT_BATCH_ROWS, type EventBatch } from '../../core/events/batch.js';
import { pushClock } from '../../core/events/clocks.js';
import { pushRow, UserArgs, UserKind } from '../../core/events/user-rows.js';
import { vmaKey } from '../../core/events/vma-names.js';

interface VmaOf {
  readonly tgid: number;
  readonly mm: number;
  readonly start: number;
  readonly end: number;
}

interface NameRow {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly value: number;
  readonly name: string;
  /** Of a clock pair, which says something of that time alone. */
  readonly time: number;
  /** Of what a VMA maps: which VMA. */
  readonly vma: VmaOf | null;
}

/**
 * Rows kept of each kind at most; the names said longest ago go first. Each kind by itself: cgroups come and go without
 * end on a busy host, a swap device is named once. Of cgroups, handlers, processes and VMAs as many as core/events/names.ts keeps.
 */
const MAX_ROWS: Readonly<Record<number, number>> = {
  [UserKind.Frame]: 131_072,
  [UserKind.SwapDevice]: 64,
  [UserKind.Cgroup]: 16_384,
  [UserKind.Handler]: 1024,
  [UserKind.Process]: 16_384,
  [UserKind.Vma]: 4096,
  [UserKind.Unnamed]: 16,
  [UserKind.Clock]: 1,
};

export function isName(kind: number): boolean {
  return MAX_ROWS[kind] !== undefined;
}

function keyOf(row: NameRow): string | number {
  switch (row.kind) {
    case UserKind.Frame:
      return row[UserArgs.Frame.stack];
    case UserKind.SwapDevice:
      return row[UserArgs.SwapDevice.type];
    case UserKind.Cgroup:
      return row[UserArgs.Cgroup.id];
    case UserKind.Handler:
      return `${row[UserArgs.Handler.high]}.${row[UserArgs.Handler.low]}`;
    case UserKind.Process:
      return row[UserArgs.Process.tgid];
    case UserKind.Vma:
      return row.vma === null ? '' : vmaKey(row.vma.mm, row.vma.start);
    case UserKind.Unnamed:
      return `${row[UserArgs.Unnamed.what]} ${row.name}`;
    default: // There is one wall clock.
      return 0;
  }
}

/** A pair of clocks, extrapolated to another time. */
function realtimeAt(row: NameRow, at: number): bigint {
  const { seconds, nanoseconds } = UserArgs.Clock;
  return BigInt(row[seconds]) * 1_000_000_000n + BigInt(Math.round(row[nanoseconds] + at - row.time));
}

function vmaOf({ tgid, mm, vmaStart, vmaEnd }: EventBatch, i: number): VmaOf {
  const [process = 0, of = 0, start = 0, end = 0] = [tgid[i], mm[i], vmaStart[i], vmaEnd[i]];
  return { tgid: process, mm: of, start, end };
}

/** The batch is used again: rows that are of no VMA have 0 there. */
function setVma(batch: EventBatch, i: number, vma: VmaOf | null): void {
  batch.tgid[i] = vma?.tgid ?? 0;
  batch.mm[i] = vma?.mm ?? 0;
  batch.vmaStart[i] = vma?.start ?? 0;
  batch.vmaEnd[i] = vma?.end ?? 0;
}

/** Those of one kind. */
class Named {
  rows = 0;
  /** By what is named; the frames of one stack together. In the order they were last said. */
  readonly groups: Map<string | number, NameRow[]> = new Map();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  put(row: NameRow): void {
    const key = keyOf(row);
    const known = this.groups.get(key);
    this.rows++;
    if (known !== undefined && row.kind === UserKind.Frame && row[UserArgs.Frame.index] !== 0) {
      known.push(row);
    } else {
      // Ids of stacks are used again: the innermost frame begins another one.
      this.rows -= known?.length ?? 0;
      this.groups.delete(key);
      this.groups.set(key, [row]);
    }
    if (this.rows > this.#most) this.#forgetOldest();
  }

  /** An eighth at a time: to find the first entry of a Map takes as long as entries were deleted before it. */
  #forgetOldest(): void {
    for (const [key, rows] of this.groups) {
      this.groups.delete(key);
      this.rows -= rows.length;
      if (this.rows <= this.#most - (this.#most >> 3)) return;
    }
  }
}

export class NamesSoFar {
  readonly #kinds: Map<number, Named> = new Map();

  get rows(): number {
    let rows = 0;
    for (const named of this.#kinds.values()) rows += named.rows;
    return rows;
  }

  /** Row `i`, which `isName`. */
  add(batch: EventBatch, i: number): void {
    this.#put({
      kind: batch.kind[i] as number,
      a: batch.a[i] as number,
      b: batch.b[i] as number,
      value: batch.value[i] as number,
      name: batch.strings[batch.comm[i] as number] ?? '',
      time: batch.time[i] as number,
      vma: batch.kind[i] === UserKind.Vma ? vmaOf(batch, i) : null,
    });
  }

  /** Takes over what was said later. */
  merge(later: NamesSoFar): void {
    for (const row of later.#rows()) this.#put(row);
  }

  /**
   * All of them as rows of `time`, in batches of moderate size: each is valid until the next one is asked for.
   * `was`: that time on the scale of the rows they come from.
   */
  *batches(time: number, was: number = time): Generator<EventBatch, void, undefined> {
    let strings = [''];
    let batch = createBatch(Math.min(Math.max(this.rows, 1), DEFAULT_BATCH_ROWS), strings);
    for (const row of this.#rows()) {
      if (batch.length === batch.kind.length) {
        yield batch;
        strings = [''];
        batch = { ...batch, length: 0, strings };
      }
      batch.comm[batch.length] = strings.push(row.name) - 1;
      if (row.kind === UserKind.Clock) pushClock(batch, time, realtimeAt(row, was));
      else pushRow(batch, row.kind, time, row.a, row.b, row.value);
      setVma(batch, batch.length - 1, row.vma);
    }
    if (batch.length > 0) yield batch;
  }

  *#rows(): Generator<NameRow, void, undefined> {
    for (const { groups } of this.#kinds.values()) for (const rows of groups.values()) yield* rows;
  }

  #put(row: NameRow): void {
    let named = this.#kinds.get(row.kind);
    if (named === undefined) {
      named = new Named(MAX_ROWS[row.kind] ?? 1);
      this.#kinds.set(row.kind, named);
    }
    named.put(row);
  }
}
