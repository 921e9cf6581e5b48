// SPDX-License-Identifier: MIT
/** The life of an alert as a table: from each phase, the first line whose condition holds is taken. */
import type { AlertEvent, AlertPhase } from './event.js';
import type { AlertRule } from './rule.js';

/**
 * What one snapshot says. `active`: the condition holds. `quiet`: it is over, past the hysteresis. Both cannot be; neither
 * is what lies between the two limits.
 */
export interface Signals {
  readonly active: boolean;
  readonly quiet: boolean;
}

interface Transition {
  /** `due`: the phase has lasted as long as the rule asks. */
  readonly on: 'active' | 'not active' | 'quiet' | 'not quiet' | 'due';
  readonly to: AlertPhase;
  readonly says: AlertEvent['kind'] | null;
}

export const TRANSITIONS: Readonly<Record<AlertPhase, readonly Transition[]>> = {
  inactive: [{ on: 'active', to: 'pending', says: null }],
  pending: [
    { on: 'not active', to: 'inactive', says: null },
    { on: 'due', to: 'firing', says: 'firing' },
  ],
  firing: [{ on: 'quiet', to: 'clearing', says: null }],
  clearing: [
    { on: 'not quiet', to: 'firing', says: null },
    { on: 'due', to: 'cooldown', says: 'resolved' },
  ],
  cooldown: [{ on: 'due', to: 'inactive', says: null }],
};

const LASTS: Readonly<Record<AlertPhase, (rule: AlertRule) => number>> = {
  inactive: () => 0,
  pending: (rule) => rule.forNs,
  firing: () => 0,
  clearing: (rule) => rule.clearForNs,
  cooldown: (rule) => rule.cooldownNs,
};

export interface AlertState {
  phase: AlertPhase;
  /** When the phase began, ns. */
  since: number;
  /** When the condition began to hold, and when the alert went out; NaN before. */
  held: number;
  fired: number;
}

export function newState(): AlertState {
  return { phase: 'inactive', since: Number.NaN, held: Number.NaN, fired: Number.NaN };
}

function holds(on: Transition['on'], state: AlertState, rule: AlertRule, signals: Signals, time: number): boolean {
  switch (on) {
    case 'active':
      return signals.active;
    case 'not active':
      return !signals.active;
    case 'quiet':
      return signals.quiet;
    case 'not quiet':
      return !signals.quiet;
    case 'due':
      return time - state.since >= LASTS[state.phase](rule);
  }
}

/**
 * Moves `state` by what the snapshot of `time` says; durations of 0 let it pass several phases at once. It ends: while
 * active nothing leaves `firing`, while quiet nothing leaves `inactive`. Returns what is to be said, at most one word:
 * to fire needs `active`, to be over needs `quiet`.
 */
export function advance(state: AlertState, rule: AlertRule, signals: Signals, time: number): AlertEvent['kind'] | null {
  let said: AlertEvent['kind'] | null = null;
  for (;;) {
    const next = TRANSITIONS[state.phase].find(({ on }) => holds(on, state, rule, signals, time));
    if (next === undefined) return said;
    // A blip of the condition does not end the alert: it is firing since it fired.
    const since = state.phase === 'clearing' && next.to === 'firing' ? state.fired : time;
    if (next.to === 'pending') state.held = time;
    if (next.says === 'firing') state.fired = time;
    said = next.says ?? said;
    state.phase = next.to;
    state.since = since;
  }
}
