// SPDX-License-Identifier: MIT
/**
 * A few faults of each process, VMA and cause, kept apart from the latest and the slowest of the session: a busy process
 * fills those, and a question for the faults of another one would find none.
 */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { Attempt } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import type { RecordPool } from '../lifecycle/record-pool.js';
import type { Cause } from '../vocabulary/causes.js';
import type { VmaKeys } from './vma-keys.js';

/** As many as the lists of processes and of VMAs have rows. */
const MAX_KEYS = 256;

function total(fault: FaultRecord): number {
  return fault.last - fault.first;
}

/** The two slowest, and the latest. */
class Kept {
  /** Retries and aborts: what the lists are sorted by. */
  failures = 0;
  #slowest: FaultRecord | null = null;
  #second: FaultRecord | null = null;
  #latest: FaultRecord | null = null;

  add(fault: FaultRecord, failures: number, pool: RecordPool): void {
    this.failures += failures;
    if (this.#latest !== null) pool.letGo(this.#latest);
    this.#latest = pool.hold(fault);
    const length = total(fault);
    if (this.#slowest === null || length > total(this.#slowest)) {
      if (this.#second !== null) pool.letGo(this.#second);
      this.#second = this.#slowest;
      this.#slowest = pool.hold(fault);
    } else if (this.#second === null || length > total(this.#second)) {
      if (this.#second !== null) pool.letGo(this.#second);
      this.#second = pool.hold(fault);
    }
  }

  letGo(pool: RecordPool): void {
    if (this.#slowest !== null) pool.letGo(this.#slowest);
    if (this.#second !== null) pool.letGo(this.#second);
    if (this.#latest !== null) pool.letGo(this.#latest);
  }

  *faults(): Generator<FaultRecord, void, undefined> {
    for (const fault of [this.#slowest, this.#second, this.#latest]) if (fault !== null) yield fault;
  }
}

export class Examples {
  readonly #pool: RecordPool;
  readonly #keys: VmaKeys;
  readonly #processes: BoundedMap<number, Kept>;
  readonly #vmas: BoundedMap<string, Kept>;
  readonly #causes: Map<Cause, Kept> = new Map();

  constructor(pool: RecordPool, keys: VmaKeys) {
    this.#pool = pool;
    this.#keys = keys;
    // With more processes than keys nearly every fault pushes others out: their records are used again.
    const gone = (kept: Kept): void => kept.letGo(pool);
    this.#processes = new BoundedMap(MAX_KEYS, (kept) => kept.failures, gone);
    this.#vmas = new BoundedMap(MAX_KEYS, (kept) => kept.failures, gone);
  }

  closed(fault: FaultRecord): void {
    const { attempts, tgid } = fault;
    let failures = 0;
    let cause: Cause | null = null;
    for (let i = 0; i < attempts.length; i++) {
      const attempt = attempts[i] as Attempt;
      if (attempt.cause === null) continue;
      failures++;
      cause ??= attempt.cause;
    }
    if (tgid !== 0) keptOf(this.#processes, tgid).add(fault, failures, this.#pool);
    if (fault.vmaEnd > fault.vmaStart)
      keptOf(this.#vmas, this.#keys.of(fault.mm, fault.vmaStart)).add(fault, failures, this.#pool);
    if (cause !== null) keptOf(this.#causes, cause).add(fault, failures, this.#pool);
  }

  /** Each once, but for those that `known` has; longest first. */
  besides(known: Iterable<FaultRecord>): FaultRecord[] {
    const seen = new Set(known);
    const found: FaultRecord[] = [];
    for (const map of [this.#processes, this.#vmas, this.#causes]) {
      for (const kept of map.values()) {
        for (const fault of kept.faults()) {
          if (seen.has(fault)) continue;
          seen.add(fault);
          found.push(fault);
        }
      }
    }
    return found.sort((x, y) => total(y) - total(x) || x.first - y.first);
  }
}

function keptOf<K>(map: Pick<Map<K, Kept>, 'get'> & { set(key: K, kept: Kept): unknown }, key: K): Kept {
  let kept = map.get(key);
  if (kept === undefined) {
    kept = new Kept();
    map.set(key, kept);
  }
  return kept;
}
