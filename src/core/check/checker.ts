// SPDX-License-Identifier: MIT
/**
 * Holds every rule to every lifecycle. A lifecycle that lacks steps is never evidence: it is set aside. One that lacks
 * none and disobeys is suspected until the counters read after it say that nothing was missed or dropped around it; one
 * that obeys because a step did not come has held only if those same counters say so.
 */
import { Counters } from '../aggregate/counters.js';
import type { EventBatch } from '../events/batch.js';
import type { SessionInfo } from '../events/session.js';
import { UserArgs, UserKind } from '../events/user-rows.js';
import { Collector, isFromUser } from './collect.js';
import { type Facts, factsOf } from './facts.js';
import { Losses } from './losses.js';
import { Policies } from './policies.js';
import type { CheckReport } from './report.js';
import { resultOf } from './result.js';
import { FINDINGS, type FindingName, type Policy, type Rule, type Say } from './rule.js';
import { RULES } from './rules.js';
import { judgeFlagNames, judgeSwapDevice, type SessionVerdict } from './rules-session.js';
import { ShapeReader } from './shape.js';
import { type Hold, type Suspicion, Tally } from './tally.js';
import type { Trace } from './trace.js';

/** Suspicions that wait for the next reading of the counters, per rule; what comes on top is set aside. */
const MAX_SUSPECTED = 256;
const UNKNOWN = -1;

interface Judge {
  readonly tally: Tally;
  readonly judge: NonNullable<Rule['judge']>;
}

export class Checker {
  readonly #facts: Facts;
  readonly #tallies: readonly Tally[];
  /** Of the rules that can be judged here, fault by fault. */
  readonly #judges: readonly Judge[];
  readonly #shapes: ShapeReader;
  readonly #losses: Losses;
  readonly #policies: Policies;
  readonly #counters: Counters;
  readonly #findings: Map<FindingName, number> = new Map();
  readonly #collector: Collector;
  readonly #say: Say;
  #tally: Tally | null = null;
  #trace: Trace | null = null;
  #lacking = false;
  /** Of the trace at hand, by number: readings before its first step, before that of the fault before, before its last. */
  #firstReading = UNKNOWN;
  #firstBefore = UNKNOWN;
  #lastReading = UNKNOWN;
  #total = 0;
  #incomplete = 0;
  #ended = false;
  #finished = false;
  #reading = Number.NEGATIVE_INFINITY;

  constructor(session: SessionInfo) {
    this.#facts = factsOf(session);
    this.#losses = new Losses(session.programs);
    this.#policies = new Policies(this.#facts);
    this.#tallies = RULES.map((rule) => new Tally(rule, this.#facts));
    this.#judges = this.#tallies.flatMap((tally) => {
      const { judge } = tally.rule;
      return judge === undefined || tally.why !== '' ? [] : [{ tally, judge }];
    });
    this.#shapes = new ShapeReader(this.#facts);
    this.#counters = new Counters(session);
    this.#collector = new Collector(
      (trace) => this.#judge(trace),
      (trace) => trace.depth === 0 && isFromUser(trace, this.#facts.bits.user),
    );
    this.#say = {
      held: (...sights) => this.#hold(sights),
      unseen: (why) => this.#unseen(why),
      aside: () => {
        if (this.#tally !== null) this.#tally.setAside++;
      },
      violated: (words, at, overBefore = false) => this.#suspect(null, words, at, overBefore),
      violatedUnless: (policy, words, at) => this.#suspect(policy, words, at, false),
      found: (what, of = 1) => {
        if (!this.#lacking) this.#findings.set(what, (this.#findings.get(what) ?? 0) + of);
      },
    };
    this.#verdict(17, judgeFlagNames(session));
  }

  /** Keeps no reference to the batch. */
  push(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      if (kind < UserKind.Counter) {
        const { decoded } = this.#counters;
        decoded[kind] = (decoded[kind] ?? 0) + 1;
        this.#collector.row(batch, i);
      } else this.#userRow(batch, i, kind);
    }
  }

  /** No more rows will come. Idempotent. */
  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#collector.finish();
    this.#settle(true);
  }

  /** What was found so far; after `finish` it is the last word. */
  report(): CheckReport {
    const { session } = this.#facts;
    const { emitted, decoded, dropped, missed } = this.#counters.events(this.#ended);
    return {
      v: 1,
      kernel: session.kernel,
      scope: session.scope,
      release: session.release,
      ended: this.#ended,
      lifecycles: { total: this.#total, incomplete: this.#incomplete },
      rules: this.#tallies.map((tally) => resultOf(tally, this.#policies, session)),
      findings: [...this.#findings]
        .map(([what, count]) => ({ rule: FINDINGS[what], what, count }))
        .sort((x, y) => x.rule - y.rule || x.what.localeCompare(y.what)),
      events: { emitted, decoded, dropped, missed },
    };
  }

  #userRow(batch: EventBatch, i: number, kind: number): void {
    const time = batch.time[i] as number;
    if (kind === UserKind.Counter) {
      const group = batch[UserArgs.Counter.group][i] as number;
      const index = batch[UserArgs.Counter.index][i] as number;
      const value = batch[UserArgs.Counter.value][i] as number;
      this.#counters.set(group, index, value);
      this.#losses.counter(time, group, index, value);
      if (time > this.#reading) this.#settle(false);
      this.#reading = Math.max(this.#reading, time);
    } else if (kind === UserKind.End) {
      this.#ended = true;
      this.#losses.reading(time);
    } else if (kind === UserKind.SwapDevice) {
      const { type, flags, isSynchronous } = UserArgs.SwapDevice;
      const [device = 0, bits = 0, says = 0] = [batch[type][i], batch[flags][i], batch[isSynchronous][i]];
      this.#verdict(25, judgeSwapDevice(device, bits, says, batch.strings[batch.comm[i] as number] ?? ''));
    }
  }

  #judge(trace: Trace): void {
    const shape = this.#shapes.read(trace);
    this.#total++;
    this.#lacking = trace.lost !== '' || shape.missing !== '';
    if (this.#lacking) this.#incomplete++;
    const judged = { trace, steps: trace.steps, shape, facts: this.#facts };
    if (!this.#lacking) this.#policies.learn(judged);
    this.#trace = trace;
    this.#firstReading = this.#firstBefore = this.#lastReading = UNKNOWN;
    for (let i = 0; i < this.#judges.length; i++) {
      const { tally, judge } = this.#judges[i] as Judge;
      if (!tally.concerns(trace)) continue;
      this.#tally = tally;
      judge(judged, this.#say);
    }
    this.#tally = null;
    this.#trace = null;
  }

  #hold(sights: readonly string[]): void {
    const tally = this.#tally;
    const trace = this.#trace;
    if (tally === null || trace === null) return;
    const hold = tally.hold(sights);
    if (hold.why !== '') this.#unseen(hold.why);
    else if (this.#lacking) tally.setAside++;
    else if (hold.hooks.length === 0) tally.held++;
    else this.#wait(tally, trace, hold);
  }

  #unseen(why: string): void {
    const tally = this.#tally;
    if (tally === null) return;
    if (this.#lacking) {
      tally.setAside++;
      return;
    }
    tally.unseen++;
    tally.unseenWhy ||= why;
  }

  /** Which readings decide is the same for all rules. */
  #wait(tally: Tally, trace: Trace, hold: Hold): void {
    const { from, to, before } = trace;
    if (this.#lastReading === UNKNOWN) this.#lastReading = this.#losses.before(to);
    if (hold.sinceBefore && before !== null) {
      if (this.#firstBefore === UNKNOWN) this.#firstBefore = this.#losses.before(before.from);
      tally.wait(hold, this.#firstBefore, this.#lastReading, before.from, to);
    } else {
      if (this.#firstReading === UNKNOWN) this.#firstReading = this.#losses.before(from);
      tally.wait(hold, this.#firstReading, this.#lastReading, from, to);
    }
  }

  #suspect(unless: Policy | null, words: string, at: number, overBefore: boolean): void {
    const tally = this.#tally;
    const trace = this.#trace;
    if (tally === null || trace === null) return;
    if (this.#lacking || tally.suspected.length >= MAX_SUSPECTED) {
      tally.setAside++;
      return;
    }
    const before = overBefore ? trace.before : null;
    const from = Math.min(trace.from, before?.from ?? trace.from);
    const to = Math.max(trace.to, before?.to ?? trace.to);
    trace.keep();
    before?.keep();
    tally.suspected.push({ trace, before, words, at, from, to, unless });
  }

  #settle(last: boolean): void {
    for (const tally of this.#tallies) {
      tally.settle(({ from, to, hooks, count }) => {
        if (!last && !this.#losses.settled(to)) return false;
        if (this.#losses.during(from, to, hooks)) tally.setAside += count;
        else tally.held += count;
        return true;
      });
      if (tally.suspected.length === 0) continue;
      const open: Suspicion[] = [];
      for (const suspicion of tally.suspected) {
        if (!last && !this.#losses.settled(suspicion.to)) open.push(suspicion);
        else if (this.#losses.during(suspicion.from, suspicion.to)) tally.setAside++;
        else tally.violated(suspicion.unless, suspicion);
      }
      tally.suspected = open;
    }
  }

  /** A rule about the session; null: nothing to judge. */
  #verdict(rule: number, verdict: SessionVerdict | null): void {
    const tally = this.#tallies.find((t) => t.rule.number === rule);
    if (tally === undefined || tally.why !== '' || verdict === null) return;
    if (verdict.ok) tally.held++;
    else {
      tally.violated(null, null);
      tally.words ||= verdict.words;
    }
  }
}
