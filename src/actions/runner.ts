// SPDX-License-Identifier: MIT
/** Does what is to be done about alerts, beside the drain and never in its way. */
import { type AlertEvent, alertText, SEVERITIES } from '../core/alerts/event.js';
import type { SessionInfo } from '../core/events/session.js';
import type { Action, ExecAction } from './actions.js';
import { runExec } from './exec.js';
import { type AlertMessage, alertMessage } from './message.js';
import { postWebhook } from './webhook.js';

export interface ActionDeps {
  readonly session: SessionInfo;
  /** One line for the log. */
  log(line: string): void;
  /** Writes out the flight recorder and resolves to the file; absent: there is none. `why` stands in the recording. */
  dumpFlight?(why: string, event: AlertEvent): Promise<string>;
  /** ms, of a clock that never goes back; absent: `performance.now`. */
  now?(): number;
}

export interface ActionStats {
  readonly type: Action['type'];
  readonly done: number;
  readonly failed: number;
  /** For want of room in the queue, or above the rate. */
  readonly dropped: number;
  readonly waiting: number;
}

/** Events that wait for one action at most: a slow one must not hold memory. */
const MAX_WAITING = 64;
/** How long `close` lets what is under way go on. */
const CLOSE_MS = 5_000;

type Outcome = string | null;

export class ActionRunner {
  readonly #lanes: readonly Lane[];
  readonly #session: SessionInfo;
  readonly #stop: AbortController = new AbortController();

  constructor(actions: readonly Action[], deps: ActionDeps) {
    this.#session = deps.session;
    this.#lanes = actions.map((action) => new Lane(action, deps, this.#stop.signal));
  }

  /** Hands events to the actions they are for. Returns at once and never throws. */
  handle(events: readonly AlertEvent[]): void {
    for (const event of events) {
      // One message for all, made now: the session's clocks grow, and an action that waited would tell another time.
      const shared: Shared = { message: alertMessage(event, this.#session), flight: null };
      // Who is given the flight recording waits for it, in whatever order the actions stand.
      const recorders = this.#lanes.filter((lane) => lane.isRecorder);
      for (const lane of recorders) lane.take(event, shared);
      for (const lane of this.#lanes) if (!lane.isRecorder) lane.take(event, shared);
    }
  }

  stats(): ActionStats[] {
    return this.#lanes.map((lane) => lane.stats());
  }

  /** Resolves when nothing waits any more and nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.work));
  }

  /** Lets what is under way and what waits be done for a few seconds more, then ends it. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#stop.abort(), CLOSE_MS);
    await this.idle();
    clearTimeout(timer);
    this.#stop.abort();
  }
}

/** An event on its way to the actions. */
interface Shared {
  readonly message: AlertMessage;
  /** The recording that is written for it; null where none is. Never rejects. */
  flight: Promise<string | null> | null;
}

/** One action: its events go through it one by one, in order. */
class Lane {
  work: Promise<void> = Promise.resolve();
  readonly #action: Action;
  readonly #deps: ActionDeps;
  readonly #stop: AbortSignal;
  readonly #now: () => number;
  readonly #counts = { done: 0, failed: 0, dropped: 0, waiting: 0 };
  /** Events that may still be taken now; grows with time up to a minute's worth. */
  #tokens: number;
  #refilled: number;
  #limited = false;

  constructor(action: Action, deps: ActionDeps, stop: AbortSignal) {
    this.#action = action;
    this.#deps = deps;
    this.#stop = stop;
    this.#now = deps.now ?? ((): number => performance.now());
    this.#tokens = action.perMinute;
    this.#refilled = this.#now();
  }

  stats(): ActionStats {
    return { type: this.#action.type, ...this.#counts };
  }

  get isRecorder(): boolean {
    return this.#action.type === 'flight-recorder';
  }

  take(event: AlertEvent, shared: Shared): void {
    if (!isFor(this.#action, event)) return;
    const refusal = this.#refusal();
    if (refusal !== null) {
      this.#drop(refusal);
      return;
    }
    this.#limited = false;
    this.#counts.waiting++;
    let written: (path: string | null) => void = () => {};
    if (this.isRecorder) {
      shared.flight = new Promise((resolve) => {
        written = resolve;
      });
    }
    this.work = this.work.then(async () => {
      const failure = await this.#do(event, shared, written).catch((error: unknown) => String(error));
      written(null);
      this.#counts.waiting--;
      if (failure === null) this.#counts.done++;
      else {
        this.#counts.failed++;
        this.#say(`failed for ${event.rule}: ${failure}`);
      }
    });
  }

  /** Why it is not taken; null when it is, which uses up one of the rate. */
  #refusal(): string | null {
    const now = this.#now();
    const { perMinute } = this.#action;
    this.#tokens = Math.min(perMinute, this.#tokens + ((now - this.#refilled) * perMinute) / 60_000);
    this.#refilled = now;
    if (this.#stop.aborted) return 'is closed';
    if (this.#counts.waiting >= MAX_WAITING) return `is too slow: ${MAX_WAITING} wait`;
    if (this.#tokens < 1) return `takes ${perMinute} a minute`;
    this.#tokens--;
    return null;
  }

  /** Said once for events dropped in a row: the log has a limit as well. */
  #drop(why: string): void {
    this.#counts.dropped++;
    if (!this.#limited) this.#say(`${why}; more events are dropped until it takes them again`);
    this.#limited = true;
  }

  #say(words: string): void {
    this.#deps.log(`action ${nameOf(this.#action)} ${words}`);
  }

  async #do(event: AlertEvent, shared: Shared, written: (path: string) => void): Promise<Outcome> {
    const action = this.#action;
    const { log, dumpFlight } = this.#deps;
    switch (action.type) {
      case 'log':
        log(alertText(event));
        return null;
      case 'exec':
        return this.#exec(action, shared);
      case 'webhook':
        return postWebhook(action, bodyOf(await withFlight(shared)), this.#stop);
      case 'flight-recorder':
        if (dumpFlight === undefined) return 'no flight recorder runs';
        {
          const path = await dumpFlight.call(this.#deps, alertText(event), event);
          written(path);
          log(`flight recorder written to ${path}`);
        }
        return null;
    }
  }

  async #exec(action: ExecAction, shared: Shared): Promise<Outcome> {
    const message = await withFlight(shared);
    const { flight } = message;
    return runExec(action, bodyOf(message), this.#stop, flight === undefined ? {} : { VMALOCKTOP_FLIGHT: flight });
  }
}

/** With the recording that was written for it, once it is. */
async function withFlight({ message, flight }: Shared): Promise<AlertMessage> {
  const path = await flight;
  return path === null ? message : { ...message, flight: path };
}

/** As programs get it. */
function bodyOf(message: AlertMessage): string {
  return `${JSON.stringify(message)}\n`;
}

function isFor({ on, rules, minSeverity }: Action, event: AlertEvent): boolean {
  return (
    on.includes(event.kind) &&
    (rules === null || rules.includes(event.rule)) &&
    SEVERITIES.indexOf(event.severity) >= SEVERITIES.indexOf(minSeverity)
  );
}

function nameOf(action: Action): string {
  if (action.type === 'exec') return `exec ${action.argv[0]}`;
  // Not the whole address: such paths are often the secret.
  return action.type === 'webhook' ? `webhook ${new URL(action.url).origin}` : action.type;
}
