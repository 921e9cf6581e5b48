// SPDX-License-Identifier: MIT
/** The daemon: one source, drained without pause, and everybody who wants to know of it. */
import { NODE_CLOCK } from '../clock.js';
import { Pipeline } from '../core/aggregate/pipeline.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import { type EventBatch, UserKind } from '../core/events/batch.js';
import { drive } from '../core/events/drive.js';
import type { Scope } from '../core/events/session.js';
import type { Source } from '../core/events/source.js';
import { type Losses, lossesOf } from '../export/base/losses.js';
import type { Residency } from '../live/resident.js';
import { snapshotFamilies } from '../metrics/families.js';
import type { Family } from '../metrics/family.js';
import { fleetFamilies } from '../metrics/fleet.js';
import type { Health } from '../metrics/server.js';
import { loadZstd } from '../recording/format/zstd.js';
import { createFlightRecorder, type FlightRecorder } from '../recording/write/flight.js';
import { Alerting } from './alerting.js';
import { FanOut } from './fan-out.js';
import { dumpFlight } from './flight-files.js';
import { Lake } from './lake.js';
import { OtlpPush } from './otlp-push.js';
import { type OtlpSecrets, otlpTarget } from './otlp-target.js';
import { daemonFamilies } from './own-families.js';
import { fixedChanges, type Loaded } from './read-config.js';
import type { StreamSocket } from './socket.js';
import { Watchdog } from './watchdog.js';

export interface DaemonSource extends Source {
  /** Follows less from now on; null: there is no narrower scope. Absent: the scope is what it is. */
  lowerScope?(): Scope | null;
  /** Takes one such step back; null: there is none to take back. */
  raiseScope?(): Scope | null;
}

export interface DaemonParts {
  readonly loaded: Loaded;
  readonly source: DaemonSource;
  readonly socket: StreamSocket | null;
  /** null: not asked for. */
  readonly residency: Residency | null;
  /** Read before privileges went; absent: none. */
  readonly otlp?: OtlpSecrets;
  /** CPU time that went into serving metrics, ns; absent: none is served, or the session is not of this process. */
  servingNs?(): number;
  /** One line for the log. */
  log(line: string): void;
}

/** Rows wait at most this long before they are sent to clients. */
const FLUSH_MS = 250;
/** A snapshot that old is as good as a new one. */
const FRESH_MS = 250;
/** A live source gives counters four times a second: without any for so long, it hangs. */
const SILENT_MS = 5000;
/** Windows within budget before the scope rises again: so many more each time that it had to fall. */
const CALM_WINDOWS = 6;
const MAX_CALM_WINDOWS = 360;

export class Daemon {
  readonly #source: DaemonSource;
  readonly #socket: StreamSocket | null;
  readonly #residency: Residency | null;
  readonly #log: (line: string) => void;
  readonly #servingNs: () => number;
  readonly #pipeline: Pipeline;
  readonly #fanOut: FanOut;
  readonly #flight: FlightRecorder | null;
  readonly #watchdog: Watchdog;
  readonly #alerting: Alerting;
  readonly #otlp: OtlpPush;
  readonly #lake: Lake | null;
  #loaded: Loaded;
  #scope: Scope;
  #lowered = 0;
  /** Windows within budget in a row, and how many it takes to raise the scope. */
  #calm = 0;
  #patience = CALM_WINDOWS / 2;
  #overBudget: string | null = null;
  #kept: string | null = null;
  #reloads = 0;
  #latest: { readonly snapshot: Snapshot; readonly at: number };
  #heard: number = performance.now();
  /** ns of the session. */
  #watchAt: number;
  #ended = false;

  private constructor(parts: DaemonParts, fanOut: FanOut, flight: FlightRecorder | null) {
    const { loaded, source, socket, residency, log } = parts;
    const { config } = loaded;
    this.#loaded = loaded;
    this.#source = source;
    this.#socket = socket;
    this.#residency = residency;
    this.#log = log;
    this.#servingNs = parts.servingNs ?? ((): number => 0);
    this.#scope = source.session.scope;
    const { directory } = config.lake;
    const losses = (): Losses => lossesOf(this.#pipeline.snapshot(), null);
    const lake = directory === '' ? null : new Lake(source.session, config.lake, losses, log);
    this.#lake = lake;
    this.#pipeline = new Pipeline(source.session, {
      maxOpen: config.budget.openFaults,
      ...(lake !== null && { onClosed: (lifecycle) => lake.lifecycle(lifecycle) }),
    });
    this.#fanOut = fanOut;
    this.#flight = flight;
    this.#watchdog = new Watchdog(config.budget);
    // What starting costs is not what observing costs: the first window is let pass.
    this.#watchAt = config.budget.window * 1e9;
    this.#alerting = new Alerting(loaded, this.#pipeline, {
      session: source.session,
      log,
      ...(flight === null ? {} : { dumpFlight: (why: string) => this.dump(why) }),
    });
    const { host, tool, kernel } = source.session;
    const resource = { 'host.name': host, 'service.version': tool.replace(/^\S+ /, ''), 'os.version': kernel };
    this.#otlp = new OtlpPush(() => this.families(), resource, parts.otlp ?? { headers: {}, resource: {} }, log);
    this.#latest = { snapshot: this.#pipeline.snapshot(), at: performance.now() };
  }

  static async create(parts: DaemonParts): Promise<Daemon> {
    const { session } = parts.source;
    const { keep, size } = parts.loaded.config.flight;
    const flight = keep > 0 ? await createFlightRecorder(session, { seconds: keep, bytes: size }) : null;
    return new Daemon(parts, new FanOut(session, await loadZstd()), flight);
  }

  /** Runs until the source ends or `source.close()` was called. Rejects with what the source ended with. */
  async run(): Promise<void> {
    this.#socket?.serve(this.#fanOut);
    this.#otlp.start(otlpTarget(this.#loaded.config.otlp));
    const flusher = setInterval(() => this.#fanOut.flush(), FLUSH_MS);
    try {
      const { error } = await drive(this.#source, (batch) => this.#take(batch), NODE_CLOCK);
      if (error !== null) throw error;
    } finally {
      this.#ended = true;
      clearInterval(flusher);
      this.#otlp.stop();
      this.#fanOut.end();
      await this.#alerting.close();
      for (const open of this.#pipeline.open()) this.#lake?.lifecycle(open);
      await this.#lake?.close();
    }
  }

  /** At most a quarter of a second old. */
  snapshot(): Snapshot {
    const now = performance.now();
    if (now - this.#latest.at > FRESH_MS) this.#latest = { snapshot: this.#pipeline.snapshot(), at: now };
    return this.#latest.snapshot;
  }

  families(): Family[] {
    const snapshot = this.snapshot();
    const { topProcesses, profile } = this.#loaded.config.metrics;
    const families = [
      ...snapshotFamilies(snapshot, topProcesses),
      ...this.#alerting.families(),
      ...daemonFamilies({
        scope: this.#scope,
        lowered: this.#lowered,
        overBudget: this.#overBudget !== null,
        reloads: this.#reloads,
        configKept: this.#kept !== null,
        socket: this.#socket?.figures ?? null,
        flightBytes: this.#flight?.bytes ?? null,
        lake: this.#lake?.figures ?? null,
        otlp: otlpTarget(this.#loaded.config.otlp).url === '' ? null : this.#otlp.figures,
      }),
    ];
    return profile === 'fleet' ? fleetFamilies(families) : families;
  }

  health(): Health {
    const faults: string[] = [];
    if (this.#ended) faults.push('the session has ended');
    const silent = performance.now() - this.#heard;
    if (!this.#ended && silent > SILENT_MS)
      faults.push(`nothing was heard of the kernel for ${Math.round(silent / 1000)} s`);
    if (this.#overBudget !== null) faults.push(`over budget: ${this.#overBudget}`);
    const notes: string[] = [];
    const { dropped, missed } = this.snapshot().events;
    if (dropped > 0) notes.push(`${dropped} records dropped since the session began`);
    if (missed > 0) notes.push(`${missed} runs of probes missed`);
    if (this.#scope !== this.#source.session.scope) notes.push(`scope lowered to ${this.#scope}`);
    if (this.#kept !== null) notes.push(`the configuration was not reloaded: ${this.#kept}`);
    if (this.#residency?.unlocked != null) notes.push(`the program may be paged out: ${this.#residency.unlocked}`);
    if (this.#residency?.oomWhy != null)
      notes.push(`the OOM killer takes the daemon like any other: ${this.#residency.oomWhy}`);
    for (const { rule, severity, group } of this.#alerting.out())
      notes.push(`${severity} ${rule}${group === null ? '' : ` (${group.name})`} is firing`);
    return { ok: faults.length === 0, notes: [...faults, ...notes] };
  }

  /** Writes out the flight recorder. Resolves to the file; rejects with a `UserError`, or with an `Error` where there is none. */
  async dump(why: string): Promise<string> {
    if (this.#flight === null) throw new Error('no flight recorder runs: set flight.keep');
    const { directory, files } = this.#loaded.config.flight;
    return dumpFlight(this.#flight, directory, files, why);
  }

  /** Takes over a new configuration, if a running daemon can. Returns what stands in the way, null when it was taken. */
  reload(loaded: Loaded): string | null {
    const fixed = fixedChanges(this.#loaded.config, loaded.config);
    if (fixed.length > 0) return this.keep(`${fixed.join(', ')}: a restart is needed to change that`);
    this.#loaded = loaded;
    const { config } = loaded;
    this.#watchdog.budget = config.budget;
    if (this.#socket !== null) this.#socket.limits = config.socket;
    this.#otlp.start(otlpTarget(config.otlp));
    this.#alerting.reload(loaded);
    this.#kept = null;
    this.#reloads++;
    return null;
  }

  /** The configuration stays as it is, and whoever asks hears why. */
  keep(why: string): string {
    this.#kept = why;
    return why;
  }

  #take(batch: EventBatch): void {
    this.#alerting.push(batch);
    this.#lake?.batch(batch);
    this.#flight?.write(batch);
    this.#fanOut.write(batch);
    this.#heard = performance.now();
    const last = batch.length - 1;
    // Right behind a sample of the counters: what we used is as new as the time then.
    if (last < 0 || batch.kind[last] !== UserKind.Counter) return;
    if ((batch.time[last] as number) >= this.#watchAt) this.#watch(this.#pipeline.snapshot());
  }

  /** Once a window: a snapshot costs milliseconds. */
  #watch({ time, events, overhead }: Snapshot): void {
    this.#watchAt = time + this.#watchdog.budget.window * 1e9;
    const { selfCpuNs, selfRssBytes } = overhead;
    const over = this.#watchdog.check({
      time,
      dropped: events.dropped,
      cpuNs: selfCpuNs,
      rssBytes: selfRssBytes,
      servingNs: this.#servingNs(),
    });
    if (over === undefined) return;
    if (over === null) {
      this.#overBudget = null;
      this.#raise();
      return;
    }
    this.#calm = 0;
    const scope = this.#source.lowerScope?.() ?? null;
    if (scope !== null) {
      this.#scope = scope;
      this.#lowered++;
      this.#patience = Math.min(this.#patience * 2, MAX_CALM_WINDOWS);
      this.#log(`scope lowered to ${scope}: ${over}`);
      return;
    }
    if (this.#overBudget === null) this.#log(`over budget, and no narrower scope than ${this.#scope}: ${over}`);
    this.#overBudget = over;
  }

  /** What was over budget may be over: after enough windows within it the scope rises by a step. */
  #raise(): void {
    if (this.#scope === this.#source.session.scope || ++this.#calm < this.#patience) return;
    this.#calm = 0;
    const scope = this.#source.raiseScope?.() ?? null;
    if (scope === null) return;
    this.#scope = scope;
    this.#log(`scope raised to ${scope}: within budget for ${this.#patience * this.#watchdog.budget.window} s`);
  }
}
