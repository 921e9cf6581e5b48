// SPDX-License-Identifier: MIT
/** The dashboard: snapshots, keys and clicks in, frames out. Whatever ends it, the terminal is given back first. */

import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import { initialState, type ViewState } from '../../src/core/view/state.js';
import { buildView, refreshDetail, type View } from '../../src/core/view/view.js';
import { DashboardAlerts } from './alerts.js';
import type { DashboardContext, DashboardOptions } from './context.js';
import { pointed, pressed } from './input.js';
import { Playback } from './playback.js';
import { openingWords, replayState } from './replay-state.js';
import { guardTerminal, type QuitSignal } from './restore-terminal.js';
import { Screen } from './screen.js';
import { withSettings } from './settings.js';

/** Frames for snapshots: four a second at most, which is as fast as figures can be read. */
const UPDATE_MS = 250;
/** Frames for keys: quick enough to feel immediate, and a held key does not draw each repeat. */
const KEY_MS = 40;

export class Dashboard implements DashboardContext {
  readonly options: DashboardOptions;
  readonly screen: Screen;
  readonly playback: Playback | null;
  state: ViewState;
  private drawn: View;
  private readonly release: () => void;
  private readonly alerts: DashboardAlerts = new DashboardAlerts();
  private newest: Snapshot | null = null;
  private beforeNewest: Snapshot | null = null;
  /** What is drawn: the newest two, or those of the moment of the pause. */
  private shown: readonly [Snapshot | null, Snapshot | null] = [null, null];
  private timer: NodeJS.Timeout | null = null;
  private due = Number.POSITIVE_INFINITY;
  private drawnAt = Number.NEGATIVE_INFINITY;
  private suspended = false;
  private closed = false;

  constructor(options: DashboardOptions) {
    this.options = options;
    this.screen = new Screen({
      input: options.input ?? process.stdin,
      output: options.output ?? process.stdout,
      ...(options.term === undefined ? {} : { term: options.term }),
      ...(options.colours === undefined ? {} : { colours: options.colours }),
    });
    const state = initialState(this.screen.width, this.screen.height, options.mode, options.intervalMs);
    this.state = { ...withSettings(state, options.settings?.load() ?? {}), filter: options.filter ?? '' };
    this.playback = this.playbackOf(options);
    this.drawn = this.viewOf(this.state);
    const listens = (): boolean => !this.closed && !this.suspended;
    this.screen.onKey((key, char) => {
      if (listens()) pressed(this, key, char);
    });
    this.screen.onMouse((x, y, wheel) => {
      if (listens()) pointed(this, x, y, wheel);
    });
    this.screen.onResize(() => this.resize());
    this.release = guardTerminal({
      restore: () => this.destroy(),
      quit: (signal) => options.onQuit(signal),
      suspend: () => {
        this.suspended = true;
        this.screen.leave();
      },
      resume: () => {
        this.screen.leave();
        this.screen.enter();
        this.suspended = false;
        this.resize();
      },
    });
    this.playback?.start();
    this.draw();
  }

  private playbackOf({ replay, intervalMs }: DashboardOptions): Playback | null {
    if (replay === undefined) return null;
    return new Playback({
      replay,
      intervalMs,
      show: (snapshot, before) => {
        if (before !== undefined) this.forget(before);
        this.update(snapshot);
        if (before !== undefined) this.redraw();
      },
      moved: () => this.drawSoon(UPDATE_MS),
    });
  }

  /** Takes a snapshot; it is drawn soon, unless the view is paused. */
  update(snapshot: Snapshot): void {
    if (this.closed) return;
    this.beforeNewest = this.newest;
    this.newest = snapshot;
    this.judge(snapshot);
    if (this.state.paused) return;
    // The first figures, and those a key asked for, are waited for.
    const awaited = this.shown[0] === null || this.beforeNewest === null;
    this.show();
    this.drawSoon(awaited ? KEY_MS : UPDATE_MS);
  }

  /** Judges these alert rules from now on. They come late, so that reading them keeps no frame waiting. */
  watch(rules: readonly AlertRule[]): void {
    this.alerts.watch(rules);
    if (this.newest === null) return;
    this.judge(this.newest);
    this.drawSoon(UPDATE_MS);
  }

  private judge(snapshot: Snapshot): void {
    const judged = this.alerts.judge(snapshot);
    if (judged === null) return;
    this.state = { ...this.state, alerts: judged.status };
    // What fired in a recording is over: its markers stand on the time bar.
    if (judged.fired === null || this.playback !== null) return;
    this.screen.bell();
    this.say(judged.fired, true);
  }

  /** What was seen so far is no earlier state of what comes: rules begin again, over the session up to there. */
  private forget(before: Snapshot | null): void {
    this.newest = before;
    this.alerts.restart();
  }

  /** Whether a frame is due: what was done last does not show yet. */
  get pending(): boolean {
    return this.timer !== null && !this.closed;
  }

  /** The source has no more. Without an End row in the last snapshot it was cut off, and the header says so. */
  sourceEnded(): void {
    this.state = { ...this.state, sourceEnded: true };
    this.drawSoon(0);
  }

  /**
   * Mode `replay`: plays from the beginning at `speed`; without one, goes to where something happens, at once. Settles
   * when it is there, or plays.
   */
  async play(speed?: number): Promise<void> {
    const { playback } = this;
    await playback?.replay.surveyed;
    if (playback === null || this.closed) return;
    if (speed !== undefined) return playback.begin(speed);
    const longest = await playback.open();
    if (longest !== null && !playback.replay.atEnd) this.say(openingWords(longest));
  }

  /** Gives the terminal back. May be called again. */
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.playback?.stop();
    this.options.settings?.save(this.state);
    this.release();
    this.screen.destroy();
  }

  leave(signal: QuitSignal | null): void {
    this.destroy();
    this.options.onQuit(signal);
  }

  get snapshot(): Snapshot | null {
    return this.shown[0];
  }

  /** Two keys within one frame: the second acts on what the first made. */
  get view(): View {
    if (this.timer !== null) this.drawn = this.viewOf(this.state);
    return this.drawn;
  }

  viewOf(state: ViewState): View {
    return buildView(this.shown[0], this.shown[1], state);
  }

  private show(): void {
    this.shown = [this.newest, this.beforeNewest];
    if (this.newest !== null) this.state = refreshDetail(this.state, this.newest);
  }

  say(text: string, bad = false): void {
    if (!this.closed) this.change({ ...this.state, note: { text, bad } });
  }

  change(state: ViewState): void {
    const before = this.state;
    this.state = state;
    if (before.paused && !state.paused) this.show();
    if (before.detail === null && state.detail !== null) {
      this.state = { ...state, detailAt: this.shown[0]?.time ?? 0 };
    }
    if (before.intervalMs !== state.intervalMs) {
      if (this.playback !== null) this.playback.intervalMs = state.intervalMs;
      this.options.onInterval?.(state.intervalMs);
    }
    this.redraw();
  }

  redraw(): void {
    this.drawSoon(KEY_MS);
  }

  private resize(): void {
    this.state = { ...this.state, width: this.screen.width, height: this.screen.height };
    this.redraw();
  }

  /** Draws as soon as `gap` ms have passed since the last frame. */
  private drawSoon(gap: number): void {
    if (this.closed) return;
    const now = performance.now();
    const due = Math.max(now, this.drawnAt + gap);
    if (this.timer !== null) {
      if (due >= this.due) return;
      clearTimeout(this.timer);
    }
    this.due = due;
    this.timer = setTimeout(() => this.draw(), due - now);
  }

  private draw(): void {
    this.timer = null;
    if (this.closed || this.suspended) return;
    const begun = { wall: performance.now(), cpu: process.cpuUsage() };
    const { replay, recorder } = this.options;
    this.state = {
      ...this.state,
      recording: recorder?.file ?? null,
      replay: replay === undefined ? null : replayState(replay),
    };
    this.drawn = this.viewOf(this.state);
    const lists = { ...this.state.lists };
    for (const [id, list] of Object.entries(this.drawn.lists)) lists[id as keyof typeof lists] = list.state;
    this.state = { ...this.state, lists };
    this.screen.draw(this.drawn);
    this.drawnAt = performance.now();
    const { user, system } = process.cpuUsage(begun.cpu);
    this.options.onFrame?.({ wallMs: this.drawnAt - begun.wall, cpuMs: (user + system) / 1000 });
  }
}
