// SPDX-License-Identifier: MIT
/** `Replay` over a recording in files. */
import { stat } from 'node:fs/promises';
import type { Snapshot } from '../../core/aggregate/snapshot.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Source } from '../../core/events/source.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { type HeldFiles, holdFiles } from '../read/held-files.js';
import type { Marker } from '../read/marks.js';
import { type OpenOptions, openRecordingBytes, type Recording } from '../read/reader.js';
import { SCANNED, type Scan, scan } from '../read/scan.js';
import { sliceSource, type TimeRange } from '../read/slice.js';
import { FoundFaults } from './found-faults.js';
import { MAX_SPEED, MIN_SPEED, RATE_NS, type Replay } from './replay.js';
import { Run } from './run.js';

export interface ReplayOptions {
  /** Which part of the recording, ns since its session's base; called once the session is known. Absent: all of it. */
  readonly range?: (session: SessionInfo) => TimeRange | Promise<TimeRange>;
}

/** States kept besides the one that is shown: each is the memory of a whole pipeline. */
const MAX_KEPT = 3;

/** From so many rows on, the way back takes long enough (a quarter of a second) to prepare for the next one. */
const LONG_ROWS = 500_000;

/** Whether it can be read more than once: a named pipe or the shell's `<(…)` cannot, and is a stream. */
export async function canReplay(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null); // what is wrong with the path is said when it is opened
  return found === null || found.isFile();
}

/** Rejects with a `UserError` (exit code 2) when `path` is no recording that can be read. */
export async function openReplay(path: string, options: ReplayOptions = {}): Promise<Replay> {
  const files = await holdFiles(path);
  try {
    const open = (how: OpenOptions = {}): Promise<Recording> => openRecordingBytes(files.chunks(), path, () => {}, how);
    const whole = await open();
    const range = (await options.range?.(whole.session)) ?? { from: 0, to: Number.POSITIVE_INFINITY };
    const found = await scan(await open(SCANNED), range);
    const reread = async (): Promise<Source> => sliceSource(await open(), range);
    // The first run goes on from the head that was read already.
    return new Player(found, range, reread, new Run(sliceSource(whole, range)), files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

class Player implements Replay {
  readonly session: SessionInfo;
  readonly duration: number;
  readonly truncated: string | null;
  readonly reread: () => Promise<Source>;
  position = 0;
  paused = true;
  seeking: number | null = null;
  before: Snapshot | null = null;
  readonly #damage: unknown;
  readonly #isLong: boolean;
  #markers: readonly Marker[];
  #speed = 1;
  #run: Run;
  /** Other runs, the least lately used first. */
  readonly #kept: Run[] = [];
  readonly #files: HeldFiles;
  /** What is under way; and a number that tells it when it is not wanted any more. */
  #work: Promise<unknown> = Promise.resolve();
  #token = 0;
  #pending = 0;

  constructor(scan: Scan, range: TimeRange, reread: () => Promise<Source>, run: Run, files: HeldFiles) {
    this.#files = files;
    this.reread = reread;
    this.#run = run;
    this.session = run.session;
    const end = scan.goesOn ? range.to : scan.last;
    this.duration = Number.isNaN(end) ? 0 : Math.max(0, end - range.from);
    this.truncated = scan.truncated;
    this.#damage = scan.error;
    this.#isLong = scan.rows.reduce((sum, rows) => sum + rows, 0) >= LONG_ROWS;
    this.#markers = scan.markers.map((marker) => ({ ...marker, time: Math.max(0, marker.time - range.from) }));
    if (scan.error !== null) {
      const text = scan.error instanceof Error ? scan.error.message : String(scan.error);
      this.addMarkers([{ time: this.duration, kind: 'damage', text }]);
    }
  }

  get atEnd(): boolean {
    return this.position >= this.duration;
  }

  get error(): unknown {
    return this.#damage ?? this.#run.error;
  }

  get markers(): readonly Marker[] {
    return this.#markers;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#speed = Math.min(MAX_SPEED, Math.max(MIN_SPEED, speed));
  }

  async tick(elapsedMs: number): Promise<boolean> {
    if (this.paused || this.atEnd || this.#pending > 0) return false;
    const target = Math.min(this.duration, this.position + elapsedMs * 1e6 * this.#speed);
    return this.#exclusively((stopped) => this.#advance(target, stopped));
  }

  async seek(time: number): Promise<boolean> {
    const from = this.seeking ?? this.position;
    const target = Math.min(this.duration, Math.max(0, time));
    this.seeking = target;
    const arrived = await this.#exclusively(async (stopped) => {
      const early = target - RATE_NS;
      // In a long recording a step ahead is not worth reading it from its beginning for the sake of rates.
      const isNear = this.#isLong && this.#run.newest <= target && this.#run.newest > early;
      await this.#choose(isNear ? target : Math.max(0, early));
      if (!isNear && early > 0 && !(await this.#advance(early, stopped))) return false;
      this.before = early > 0 ? this.snapshot() : null;
      return this.#advance(target, stopped);
    });
    if (!arrived) return false;
    this.seeking = null;
    // Who went back is likely to go as far again.
    if (this.#isLong && target < from) this.#prepare(2 * target - from - RATE_NS);
    return true;
  }

  async step(): Promise<Lifecycle | null> {
    this.paused = true;
    this.seeking = null;
    let closed: Lifecycle | null = null;
    await this.#exclusively(async (stopped) => {
      closed = await this.#run.step(stopped);
      this.position = closed === null && !stopped() ? this.duration : Math.max(this.position, this.#run.newest);
      return true;
    });
    return closed;
  }

  snapshot(): Snapshot {
    return this.#run.snapshot();
  }

  async faults(keep: (fault: Lifecycle) => boolean, stopped: () => boolean): Promise<Lifecycle[] | null> {
    const found = new FoundFaults(keep);
    const run = new Run(await this.reread(), (fault) => found.add(fault));
    try {
      return (await run.advance(this.position, stopped)) ? found.list() : null;
    } finally {
      await run.close();
    }
  }

  addMarkers(markers: readonly Marker[]): void {
    this.#markers = [...this.#markers, ...markers].sort((x, y) => x.time - y.time);
  }

  async close(): Promise<void> {
    this.#token++;
    await this.#work;
    for (const run of [this.#run, ...this.#kept]) await run.close();
    await this.#files.close();
  }

  /** Ends what is under way, then does `work`. Resolves to false when something newer ended it. */
  async #exclusively(work: (stopped: () => boolean) => Promise<boolean>): Promise<boolean> {
    const token = ++this.#token;
    const stopped = (): boolean => token !== this.#token;
    this.#pending++;
    const turn = this.#work.then(() => (stopped() ? false : work(stopped)));
    this.#work = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#pending--;
    }
  }

  async #advance(target: number, stopped: () => boolean): Promise<boolean> {
    const run = this.#run;
    const arrived = await run.advance(target, () => {
      this.position = run.newest;
      return stopped();
    });
    this.position = arrived ? target : run.newest;
    return arrived;
  }

  /** Makes the run that is nearest before `target` the one that is shown. */
  async #choose(target: number): Promise<void> {
    const run = nearest([...this.#kept, this.#run], target) ?? new Run(await this.reread());
    if (run === this.#run) return;
    await this.#keep(this.#run, run);
    this.#run = run;
  }

  /** While nothing else is asked for: brings a run to where the next seek may go. */
  #prepare(target: number): void {
    if (target <= 0) return;
    const token = this.#token;
    const stopped = (): boolean => token !== this.#token;
    const work = this.#work.then(async () => {
      if (stopped()) return;
      const run = nearest(this.#kept, target) ?? new Run(await this.reread());
      await this.#keep(run);
      await run.advance(target, stopped);
    });
    this.#work = work.catch(() => {});
  }

  /** Keeps `run` as the one used last, instead of `taken` where that was kept, or of the one used least lately. */
  async #keep(run: Run, taken: Run = run): Promise<void> {
    const at = this.#kept.indexOf(taken);
    if (at !== -1) this.#kept.splice(at, 1);
    this.#kept.push(run);
    if (this.#kept.length > MAX_KEPT) await this.#kept.shift()?.close();
  }
}

/** The one that has the shortest way to `target`; null when all are behind it. */
function nearest(runs: readonly Run[], target: number): Run | null {
  let best: Run | null = null;
  for (const run of runs) if (run.newest <= target && (best === null || run.newest >= best.newest)) best = run;
  return best;
}
