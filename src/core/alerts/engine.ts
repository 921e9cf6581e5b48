// SPDX-License-Identifier: MIT
/**
 * Judges rules on snapshots, by event time alone: the same snapshots give the same alerts, live or replayed.
 * Nothing here has a clock.
 */

import type { Figures } from '../aggregate/figures.js';
import { type AlertEvent, type AlertStatus, type Grouping, isOut } from './event.js';
import { READ_GROUPS } from './groups.js';
import type { Findings, Interval } from './interval.js';
import {
  eventOf,
  knownOf,
  NOTHING,
  quietStatus,
  type Readings,
  readHost,
  readingsOf,
  signalsOf,
  statusOf,
  wantedBy,
} from './readings.js';
import type { AlertRule } from './rule.js';
import { type AlertState, advance, newState } from './states.js';
import { type Losses, lossesAt, NO_LOSSES } from './stuck.js';
import { type ProcessWork, worksOf } from './work.js';

export interface AlertEngineOptions {
  /** Groups of one rule that are followed at a time, at least 1: those that are not `inactive`. Default 256. */
  readonly maxGroups?: number;
  /** No interval is shorter, ns. Default 500 ms. */
  readonly minIntervalNs?: number;
}

const DEFAULT_MAX_GROUPS = 256;

/**
 * The kernel's counters are read every 250 ms: over less than two readings a rate would be anything. So the short rest at
 * the end of a session is judged together with the interval before it.
 */
const DEFAULT_MIN_INTERVAL_NS = 500e6;

/** The state at a time; null: the session began with it. */
interface Mark {
  readonly time: number;
  readonly snapshot: Figures | null;
  readonly findings: Findings | null;
}

const BEGINNING: Mark = { time: 0, snapshot: null, findings: null };

interface Tracked extends AlertState {
  seen: Readings;
}

function unseen(): Tracked {
  return { ...newState(), seen: { group: null, fields: NOTHING } };
}

/** Durations and expressions as well: with another limit it is another alert. */
function isSame(x: AlertRule, y: AlertRule): boolean {
  const essence = ({ when, clear, ...rest }: AlertRule): string =>
    JSON.stringify([Object.entries(rest).sort(), when.source, clear?.source ?? null]);
  return essence(x) === essence(y);
}

export class AlertEngine {
  readonly rules: readonly AlertRule[];
  readonly #maxGroups: number;
  readonly #minIntervalNs: number;
  /** Per rule, by the key of the group ('' for the host). Groups that are inactive are not kept. */
  readonly #states: ReadonlyMap<AlertRule, Map<string, Tracked>>;
  readonly #fields: Map<Grouping | null, ReadonlySet<string>> = new Map();
  /** Where an interval may begin, oldest first; the last one is the latest snapshot, or where judging began. */
  #marks: readonly Mark[] = [BEGINNING];
  #losses: Losses = NO_LOSSES;
  #forgotten = 0;

  constructor(rules: readonly AlertRule[], options: AlertEngineOptions = {}) {
    this.rules = rules;
    this.#maxGroups = Math.max(1, options.maxGroups ?? DEFAULT_MAX_GROUPS);
    this.#minIntervalNs = options.minIntervalNs ?? DEFAULT_MIN_INTERVAL_NS;
    this.#states = new Map(rules.map((rule) => [rule, new Map(rule.groupBy === null ? [['', unseen()]] : [])]));
  }

  /**
   * Goes on where `old` stands: rules that are the same in both keep their state, and intervals begin where they would have.
   * Returns the events of rules that are not here any more and were out: they are over.
   */
  takeOver(old: AlertEngine, time: number): AlertEvent[] {
    this.#marks = old.#marks;
    this.#losses = old.#losses;
    this.#forgotten = old.#forgotten;
    const events: AlertEvent[] = [];
    for (const [rule, states] of old.#states) {
      const same = this.rules.find((it) => isSame(it, rule));
      if (same !== undefined) for (const [key, state] of states) this.#states.get(same)?.set(key, state);
      else
        for (const { phase, seen, fired } of states.values())
          if (isOut(phase)) events.push(eventOf(rule, seen, 'resolved', time, fired));
    }
    return events;
  }

  /** Times a group was not followed, or not any longer, since a rule had too many. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /**
   * For an engine that begins in the middle of a session: what happened up to `snapshot` is not judged. Without it, the
   * first interval begins with the session.
   */
  baseline(snapshot: Figures, findings: Findings | null = null): void {
    this.#losses = lossesAt(NO_LOSSES, null, snapshot);
    this.#marks = [{ time: snapshot.time, snapshot, findings }];
  }

  /**
   * Judges what happened since the latest snapshot that is at least `minIntervalNs` older; a snapshot that is not later than
   * the one before changes nothing. `findings`: totals of `check` at that time, null where nothing is checked. Events come
   * in the order of the rules.
   */
  evaluate(snapshot: Figures, findings: Findings | null = null): AlertEvent[] {
    const latest = this.#marks.at(-1) ?? BEGINNING;
    if (!(snapshot.time > latest.time)) return [];
    this.#losses = lossesAt(this.#losses, latest.snapshot, snapshot);
    const from = this.#begin(snapshot.time);
    const interval: Interval = {
      before: from.snapshot,
      now: snapshot,
      seconds: (snapshot.time - from.time) / 1e9,
      losses: this.#losses,
      findingsBefore: from.findings,
      findings,
    };
    const host: Readings = { group: null, fields: readHost(this.#wanted(null), interval) };
    let works: readonly ProcessWork[] | null = null;
    const worksOnce = (): readonly ProcessWork[] => {
      works ??= worksOf(interval);
      return works;
    };
    const groups = new Map<Grouping, readonly Readings[]>();
    const events: AlertEvent[] = [];
    for (const [rule, states] of this.#states) {
      if (rule.groupBy === null) this.#judge(rule, states, '', host, snapshot.time, events);
      else {
        const { groupBy: by } = rule;
        const readings =
          groups.get(by) ?? READ_GROUPS[by]({ interval, wanted: this.#wanted(by), works: worksOnce }).map(readingsOf);
        groups.set(by, readings);
        this.#judgeGroups(rule, states, readings, snapshot.time, events);
      }
    }
    this.#marks = [...this.#marks, { time: snapshot.time, snapshot, findings }];
    return events;
  }

  /**
   * How all rules stand after the latest snapshot: one row a rule. A rule with groups has one for each that is not
   * inactive, and one without group or values when all are.
   */
  status(): AlertStatus[] {
    return [...this.#states].flatMap(([rule, states]) =>
      states.size === 0 ? [quietStatus(rule)] : [...states.values()].map((state) => statusOf(rule, state, state.seen)),
    );
  }

  /** Alerts that are firing. */
  get out(): number {
    let sum = 0;
    for (const states of this.#states.values()) for (const { phase } of states.values()) if (isOut(phase)) sum++;
    return sum;
  }

  /** What is read of the host, or of a group. */
  #wanted(by: Grouping | null): ReadonlySet<string> {
    const known = this.#fields.get(by);
    if (known !== undefined) return known;
    const wanted = wantedBy(this.rules, by);
    this.#fields.set(by, wanted);
    return wanted;
  }

  /** The mark that an interval up to `time` begins at; those before it are not needed any more. */
  #begin(time: number): Mark {
    const at = this.#marks.findLastIndex((mark) => time - mark.time >= this.#minIntervalNs);
    this.#marks = this.#marks.slice(Math.max(0, at));
    return this.#marks[0] ?? BEGINNING;
  }

  #judgeGroups(
    rule: AlertRule,
    states: Map<string, Tracked>,
    readings: readonly Readings[],
    time: number,
    events: AlertEvent[],
  ): void {
    const gone = new Map(states);
    for (const reading of readings) {
      const key = reading.group?.key ?? '';
      gone.delete(key);
      this.#judge(rule, states, key, reading, time, events);
    }
    // Nothing is known of them any more: what was out is over.
    for (const [key, { seen }] of gone) {
      this.#judge(rule, states, key, { group: seen.group, fields: NOTHING }, time, events);
    }
    for (const [key, { phase }] of states) if (phase === 'inactive') states.delete(key);
  }

  #judge(
    rule: AlertRule,
    states: Map<string, Tracked>,
    key: string,
    seen: Readings,
    time: number,
    events: AlertEvent[],
  ): void {
    const signals = signalsOf(rule, knownOf(seen.fields));
    let state = states.get(key);
    if (state === undefined) {
      if (rule.groupBy !== null && (!signals.active || !this.#room(states))) return;
      state = { ...newState(), seen };
      states.set(key, state);
    }
    state.seen = seen;
    const kind = advance(state, rule, signals, time);
    if (kind !== null) events.push(eventOf(rule, seen, kind, time, kind === 'firing' ? state.held : state.fired));
  }

  /**
   * Makes room for one more group: one that rests goes. Not one that is pending: with too many groups at once they would
   * push each other out, and none would ever fire. False when there is no room.
   */
  #room(states: Map<string, Tracked>): boolean {
    if (states.size < this.#maxGroups) return true;
    this.#forgotten++;
    for (const [key, { phase }] of states) {
      if (phase !== 'cooldown') continue;
      states.delete(key);
      return true;
    }
    return false;
  }
}
