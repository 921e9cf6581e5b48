// SPDX-License-Identifier: MIT
/** When a rule was firing, and when it could be judged. */
import type { AlertMessage } from '../../src/actions/message.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';

export interface Span {
  /** Seconds of the session. */
  readonly from: number;
  readonly to: number;
}

/** From when to when a rule without groups was firing. */
export function spansOf(events: readonly AlertMessage[], rule: string): Span[] {
  const own = events.filter((event) => event.rule === rule);
  return own.flatMap(({ kind, time }, i) =>
    kind === 'firing' ? [{ from: time / 1e9, to: (own[i + 1]?.time ?? Number.POSITIVE_INFINITY) / 1e9 }] : [],
  );
}

export const words = (spans: readonly Span[]): string =>
  spans.map(({ from, to }) => `${from.toFixed(1)}-${to.toFixed(1)}`).join(', ');

/** Seconds of the session at which the counters were read: without, no interval ends. */
export async function timesOfCounters(recording: string): Promise<number[]> {
  const source = await openFile(recording);
  const times = new Set<number>();
  for await (const { kind, time, length } of source.batches())
    for (let i = 0; i < length; i++) if (kind[i] === UserKind.Counter) times.add((time[i] as number) / 1e9);
  await source.close();
  return [...times].sort((x, y) => x - y);
}

/** The longest time between two of them that reaches into the time range. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  return times.reduce((longest, time, i) => {
    const before = times[i - 1] ?? 0;
    return time >= from && before <= to ? Math.max(longest, time - before) : longest;
  }, 0);
}
