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
import { sliceSource } from '../read/slice.js';
import { FoundFaults } from './found-faults.js';
import { KeptRuns } from './kept-runs.js';
import { MAX_SPEED, MIN_SPEED, RATE_NS, type Replay } from './replay.js';
import { Run } from './run.js';
import { beginSurvey, type Found, type Survey, type SurveyOptions } from './survey.js';

/** From so many rows on, the way back takes long enough (a quarter of a second) to prepare for the next one. */
const LONG_ROWS = 500_000;

/** Whether it can be read more than once: a named pipe or the shell's `<(…)` cannot, and is a stream. */
export async function canReplay(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null); // what is wrong with the path is said when it is opened
  return found === null || found.isFile();
}

/** At its beginning, after it was read once. Rejects with a `UserError` (exit code 2) when `path` is no recording that can be read. */
export async function openReplay(path: string, options: SurveyOptions = {}): Promise<Replay> {
  const replay = await beginReplay(path, options);
  try {
    await replay.surveyed;
    await replay.seek(0);
    return replay;
  } catch (error) {
    await replay.close();
    throw error;
  }
}

/** As `openReplay`, as soon as its head was read: `surveyed` of the replay says when the rest was. */
export async function beginReplay(path: string, options: SurveyOptions = {}): Promise<Replay> {
  const files = await holdFiles(path);
  try {
    const open = (how: OpenOptions = {}): Promise<Recording> => openRecordingBytes(files.chunks(), path, () => {}, how);
    const survey = await beginSurvey(open, options);
    return new Player(survey, async () => sliceSource(await open(), survey.range), files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

class Player implements Replay {
  readonly session: SessionInfo;
  readonly surveyed: Promise<void>;
  position = 0;
  paused = true;
  before: Snapshot | null = null;
  #found: Found | null = null;
  #seeking: number | null = null;
  readonly #reread: () => Promise<Source>;
  readonly #survey: Survey;
  #speed = 1;
  #run: Run;
  readonly #kept: KeptRuns = new KeptRuns();
  readonly #files: HeldFiles;
  /** What is under way; and a number that changes when it is not wanted any more. */
  #work: Promise<unknown>;
  #token = 0;
  #pending = 0;
  #closed = false;

  constructor(survey: Survey, reread: () => Promise<Source>, files: HeldFiles) {
    this.#files = files;
    this.#reread = reread;
    this.#survey = survey;
    this.#run = survey.run;
    this.session = survey.run.session;
    this.surveyed = this.#readAll();
    this.#work = this.surveyed.catch(() => {}); // code that awaits `surveyed` sees the rejection
  }

  get duration(): number {
    return this.#found?.duration ?? this.#survey.run.newest;
  }

  get truncated(): string | null {
    return this.#found?.truncated ?? null;
  }

  get markers(): readonly Marker[] {
    return this.#found?.markers ?? [];
  }

  get longest(): Lifecycle | null {
    return this.#found?.longest ?? null;
  }

  get reading(): boolean {
    return this.#found === null;
  }

  get seeking(): number | null {
    return this.reading ? this.duration : this.#seeking;
  }

  get atEnd(): boolean {
    return this.position >= this.duration;
  }

  get error(): unknown {
    return this.#survey.run.error ?? this.#run.error;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#speed = Math.min(MAX_SPEED, Math.max(MIN_SPEED, speed));
  }

  async tick(elapsedMs: number): Promise<boolean> {
    if (this.reading || this.paused || this.atEnd || this.#pending > 0) return false;
    const target = Math.min(this.duration, this.position + elapsedMs * 1e6 * this.#speed);
    return this.#exclusively((stopped) => this.#advance(target, stopped));
  }

  async seek(time: number): Promise<boolean> {
    if (this.reading) await this.surveyed;
    const from = this.#seeking ?? this.position;
    const target = Math.min(this.duration, Math.max(0, time));
    this.#seeking = target;
    const arrived = await this.#exclusively(async (stopped) => {
      const early = target - RATE_NS;
      // In a long recording a step ahead is not worth reading it from its beginning for the sake of rates.
      const near = this.#isLong ? this.#kept.nearest(target, this.#run) : null;
      const isNear = near !== null && near.newest > early;
      await this.#choose(isNear ? target : Math.max(0, early));
      if (!isNear && early > 0 && !(await this.#advance(early, stopped))) return false;
      this.before = early > 0 ? this.snapshot() : null;
      return this.#advance(target, stopped);
    });
    if (!arrived) return false;
    this.#seeking = null;
    // Who went back is likely to go as far again.
    if (this.#isLong && target < from) this.#prepare(2 * target - from - RATE_NS);
    return true;
  }

  async step(): Promise<Lifecycle | null> {
    if (this.reading) await this.surveyed;
    this.paused = true;
    this.#seeking = null;
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
    const run = new Run(await this.#reread(), { onClosed: (fault) => found.add(fault) });
    try {
      return (await run.advance(this.position, stopped)) ? found.list() : null;
    } finally {
      await run.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#token++;
    await this.#work;
    await this.#run.close();
    await this.#kept.close();
    await this.#files.close();
  }

  get #isLong(): boolean {
    return (this.#found?.rows ?? 0) >= LONG_ROWS;
  }

  async #readAll(): Promise<void> {
    this.#found = await this.#survey.read(() => {
      this.position = this.#survey.run.newest;
      return this.#closed;
    });
    this.position = this.duration;
  }

  /** Ends what is under way, then does `work`. Resolves to false when something newer ended it. */
  async #exclusively(work: (stopped: () => boolean) => Promise<boolean>): Promise<boolean> {
    const token = ++this.#token;
    const stopped = (): boolean => token !== this.#token;
    this.#pending++;
    const turn = this.#work.then(() => (stopped() || this.#closed ? false : work(stopped)));
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
    const run = this.#kept.nearest(target, this.#run) ?? new Run(await this.#reread());
    if (run === this.#run) return;
    await this.#kept.keep(this.#run, run);
    this.#run = run;
  }

  /** While nothing else is asked for: brings a run to where the next seek may go. */
  #prepare(target: number): void {
    if (target <= 0) return;
    const token = this.#token;
    const stopped = (): boolean => token !== this.#token;
    const work = this.#work.then(async () => {
      if (stopped()) return;
      const run = this.#kept.nearest(target) ?? new Run(await this.#reread());
      await this.#kept.keep(run);
      await run.advance(target, stopped);
    });
    this.#work = work.catch(() => {});
  }
}
