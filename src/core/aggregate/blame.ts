// SPDX-License-Identifier: MIT
/**
 * Which holds of an mmap_lock a wait for it was spent behind. At each instant of a wait the hold that keeps it waiting is,
 * of those under way, the one that ends last: when that is over, so are the others. What no hold covers is nobody's.
 */

/** A hold, or a wait; ns. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly tid: number;
}

/** The latest spans of one mm by end; the earliest are given up. */
export class RecentSpans<S extends Span> {
  readonly #spans: S[] = [];
  readonly #bound: number;
  /** Spans that ended up to then may have been given up. */
  lostTo: number = Number.NEGATIVE_INFINITY;

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** When the latest one ended. */
  get latest(): number {
    return this.#spans.at(-1)?.end ?? Number.NEGATIVE_INFINITY;
  }

  add(span: S): void {
    const spans = this.#spans;
    let at = spans.length;
    // They come nearly in order: each CPU writes its record a moment after it took the time.
    while (at > 0 && (spans[at - 1] as S).end > span.end) at--;
    spans.splice(at, 0, span);
    if (spans.length <= this.#bound) return;
    const gone = spans.splice(0, Math.max(1, this.#bound >> 2));
    this.lostTo = (gone.at(-1) as S).end;
  }

  /** Those that end after `start`, latest end first. */
  *endingAfter(start: number): Generator<S, void, undefined> {
    for (let i = this.#spans.length - 1; i >= 0; i--) {
      const span = this.#spans[i] as S;
      if (span.end <= start) return;
      yield span;
    }
  }
}

/**
 * Calls `blame` for each hold the wait [start, end) of `tid` was spent behind, latest first, with the part of it; returns
 * the ns that were nobody's. `of`: which holds could keep it waiting.
 */
export function blameWait<S extends Span>(
  holds: RecentSpans<S>,
  { start, end, tid }: Span,
  blame: (hold: S, ns: number, from: number) => void,
  of: (hold: S) => boolean = () => true,
): number {
  let to = end;
  let rest = end - start;
  for (const hold of holds.endingAfter(start)) {
    if (to <= start) break;
    if (hold.tid === tid || !of(hold)) continue;
    const from = Math.max(start, hold.start);
    const until = Math.min(to, hold.end);
    if (from >= until) continue;
    blame(hold, until - from, from);
    rest -= until - from;
    to = from;
  }
  return rest;
}
