// SPDX-License-Identifier: MIT
/** One session of a guest: its lifecycles by process and page, and how exactly they must be what the workloads say. */
import assert from 'node:assert/strict';
import type { Attempt, Fault, Head, Ran, Rule, Stat, Truth } from './session.js';

/** One session of a guest. Lifecycles are looked up by the process and the pages a workload names. */
export class Session {
  readonly name: string;
  readonly stat: Stat;
  /** What may lack of any count: runs of programs the kernel skipped, and faults it had no room to keep the state of. */
  readonly missed: number;
  /** What `check` says of it. */
  readonly rules: readonly Rule[];
  readonly #runs: ReadonlyMap<string, Ran>;
  readonly #faults: Map<number, Fault[]> = new Map();

  constructor(head: Head, stat: Stat, rules: readonly Rule[]) {
    this.name = head.observed;
    this.stat = stat;
    this.rules = rules;
    this.missed = stat.events.missed + stat.events.stateLost;
    this.#runs = new Map(head.truths.map((ran) => [ran.run, ran]));
  }

  add(fault: Fault): void {
    const of = this.#faults.get(fault.tgid ?? 0);
    if (of === undefined) this.#faults.set(fault.tgid ?? 0, [fault]);
    else of.push(fault);
  }

  get runs(): string[] {
    return [...this.#runs.keys()];
  }

  truth(run: string): Truth {
    const ran = this.#runs.get(run);
    assert.ok(ran, `${run} did not run`);
    assert.equal(ran.code, 0, `${run}: ${ran.words}`);
    assert.ok(ran.truth, `${run} said nothing; ${ran.words}`);
    return ran.truth;
  }

  /** Faults of the workload's process, at the pages its truth is about. */
  at(run: string): Fault[] {
    const truth = this.truth(run);
    const all = this.#faults.get(truth.pid) ?? [];
    if (truth.address === undefined && truth.addresses === undefined) return all;
    const first = Number(truth.address ?? 0);
    const pages = new Set(
      truth.addresses?.map(Number) ??
        Array.from({ length: truth.pages ?? truth.truth }, (_, i) => first + i * (truth.stride ?? 0)),
    );
    return all.filter(({ address }) => address !== null && pages.has(address));
  }

  /** Exactly `truth`; short of it by no more than the runs of programs that the kernel says it skipped. */
  assertCount(what: string, count: number, truth: number): void {
    if (this.missed === 0) assert.equal(count, truth, what);
    else
      assert.ok(
        count <= truth && count >= truth - this.missed,
        `${what}: ${count} of ${truth}, with ${this.missed} missed`,
      );
  }

  /**
   * Exactly `truth` rows are said to be one of `right`. A missed probe may leave one unknown, or without its row, and
   * never makes it something else.
   */
  assertSaid<Row>(
    what: string,
    rows: readonly Row[],
    of: (row: Row) => string,
    right: readonly string[],
    truth: number,
  ): void {
    const said = tally(rows, of);
    const words = `${what}: ${JSON.stringify(said)}`;
    this.assertCount(
      words,
      right.reduce((sum, name) => sum + (said[name] ?? 0), 0),
      truth,
    );
    // A fault whose exit was missed, and whose thread had no other, is in flight for all that is known.
    const unsure = this.missed === 0 ? [] : ['unknown', 'null', 'incomplete', 'in-flight'];
    assert.deepEqual(
      Object.keys(said).filter((name) => !right.includes(name) && !unsure.includes(name)),
      [],
      words,
    );
  }

  assertBetween(what: string, count: number, lo: number, hi: number): void {
    assert.ok(
      count <= hi && count >= lo - this.missed,
      `${what}: ${count} is not in [${lo}, ${hi}], ${this.missed} missed`,
    );
  }
}

/** The first attempt's cause, whatever its lock. */
export function causeOf(fault: Fault): string {
  return fault.attempts.find(({ cause }) => cause !== null)?.cause ?? 'unknown';
}

/** Attempts under the VMA lock that returned RETRY. */
export function retriesOf(faults: readonly Fault[]): Attempt[] {
  return faults.flatMap(({ attempts }) =>
    attempts.filter(({ lock, outcome }) => lock === 'vma' && outcome === 'retry'),
  );
}

/** `a: 3, b: 1` of whatever `of` says of each. */
export function tally<Row>(rows: readonly Row[], of: (row: Row) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const row of rows) counts[of(row)] = (counts[of(row)] ?? 0) + 1;
  return counts;
}
