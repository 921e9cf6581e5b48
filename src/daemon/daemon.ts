// SPDX-License-Identifier: MIT
/** The daemon: one source, drained without pause, and everybody who wants to know of it. */
import { NODE_CLOCK } from '../clock.js';
import { Pipeline } from '../core/aggregate/pipeline.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { EventBatch } from '../core/events/batch.js';
import { drive } from '../core/events/drive.js';
import { levelAfter } from '../core/events/level.js';
import type { Source } from '../core/events/source.js';
import { type Losses, lossesOf } from '../export/base/losses.js';
import type { Residency } from '../live/resident.js';
import { snapshotFamilies } from '../metrics/families.js';
import type { Family } from '../metrics/family.js';
import { fleetFamilies } from '../metrics/fleet.js';
import type { Health } from '../metrics/server.js';
import { loadPacker } from '../recording/format/zstd.js';
import { createFlightRecorder, type FlightRecorder } from '../recording/write/flight.js';
import { Alerting } from './alerting.js';
import { FanOut } from './fan-out.js';
import { dumpFlight } from './flight-files.js';
import { Lake } from './lake.js';
import { OtlpPush } from './otlp-push.js';
import { type OtlpSecrets, otlpTarget } from './otlp-target.js';
import { daemonFamilies } from './own-families.js';
import { fixedChanges, type Loaded } from './read-config.js';
import { ScopeKeeper, type ScopeSource } from './scope-keeper.js';
import { Snapshots } from './snapshots.js';
import type { StreamSocket } from './socket.js';

export interface DaemonSource extends Source, ScopeSource {}

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
/** A live source gives counters four times a second: without any for so long, it hangs. */
const SILENT_MS = 5000;

export class Daemon {
  readonly #source: DaemonSource;
  readonly #socket: StreamSocket | null;
  readonly #residency: Residency | null;
  readonly #pipeline: Pipeline;
  readonly #fanOut: FanOut;
  readonly #flight: FlightRecorder | null;
  readonly #scope: ScopeKeeper;
  readonly #snapshots: Snapshots;
  readonly #alerting: Alerting;
  readonly #otlp: OtlpPush;
  readonly #lake: Lake | null;
  #loaded: Loaded;
  #kept: string | null = null;
  #reloads = 0;
  #heard: number = performance.now();
  #ended = false;

  private constructor(parts: DaemonParts, fanOut: FanOut, flight: FlightRecorder | null) {
    const { loaded, source, socket, residency, log } = parts;
    const { config } = loaded;
    this.#loaded = loaded;
    this.#source = source;
    this.#socket = socket;
    this.#residency = residency;
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
    this.#scope = new ScopeKeeper(source, config.budget, log, parts.servingNs);
    this.#snapshots = new Snapshots(() => this.#pipeline.snapshot());
    this.#alerting = new Alerting(loaded, this.#pipeline, {
      session: source.session,
      log,
      ...(flight === null ? {} : { dumpFlight: (why: string) => this.dump(why) }),
    });
    const { host, tool, kernel } = source.session;
    const resource = { 'host.name': host, 'service.version': tool.replace(/^\S+ /, ''), 'os.version': kernel };
    this.#otlp = new OtlpPush(() => this.levelFamilies(), resource, parts.otlp ?? { headers: {}, resource: {} }, log);
  }

  static async create(parts: DaemonParts): Promise<Daemon> {
    const { session } = parts.source;
    const { keep, size } = parts.loaded.config.flight;
    const flight = keep > 0 ? await createFlightRecorder(session, { seconds: keep, bytes: size }) : null;
    return new Daemon(parts, new FanOut(session, await loadPacker()), flight);
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
      this.#snapshots.end();
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
    return this.#snapshots.now();
  }

  /** Of one instant: with the counters that came last, and with no record that is newer. */
  async levelFamilies(): Promise<Family[]> {
    return this.families(await this.#snapshots.level());
  }

  families(snapshot: Snapshot = this.snapshot()): Family[] {
    const { topProcesses, profile } = this.#loaded.config.metrics;
    const families = [
      ...snapshotFamilies(snapshot, topProcesses),
      ...this.#alerting.families(),
      ...daemonFamilies({
        scope: this.#scope.now,
        lowered: this.#scope.lowered,
        overBudget: this.#scope.overBudget !== null,
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
      faults.push(`no counters came from the kernel for ${Math.round(silent / 1000)} s`);
    const { now: scope, overBudget } = this.#scope;
    if (overBudget !== null) faults.push(`over budget: ${overBudget}`);
    const notes: string[] = [];
    const { dropped, missed } = this.snapshot().events;
    if (dropped > 0) notes.push(`${dropped} records dropped since the session began`);
    if (missed > 0) notes.push(`${missed} runs of probes missed`);
    if (scope !== this.#source.session.scope) notes.push(`scope lowered to ${scope}`);
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
    this.#scope.budget = config.budget;
    if (this.#socket !== null) this.#socket.limits = config.socket;
    this.#otlp.start(otlpTarget(config.otlp));
    this.#alerting.reload(loaded);
    this.#kept = null;
    this.#reloads++;
    return null;
  }

  /** The configuration stays as it is, and the caller gets the reason. */
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
    this.#snapshots.pushed(batch);
    // Right behind a sample of the counters: what we used is as new as the time then.
    if (levelAfter(batch) !== true) return;
    this.#scope.check(batch.time[batch.length - 1] as number, () => this.#pipeline.figures());
  }
}
