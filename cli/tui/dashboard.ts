// SPDX-License-Identifier: MIT
/** The dashboard: snapshots, keys and clicks in, frames out. Whatever ends it, the terminal is given back first. */
import type { Readable, Writable } from 'node:stream';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import { alertText } from '../../src/core/alerts/event.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import type { Snapshot } from '../../src/core/snapshot.js';
import { copyText, exportCsv, exportFault, exportJson } from '../../src/core/view/export.js';
import type { Click } from '../../src/core/view/layout.js';
import { initialState, type Note, type ViewState } from '../../src/core/view/state.js';
import { buildView, drawnState, refreshDetail, type View } from '../../src/core/view/view.js';
import type { Replay } from '../../src/recording/replay.js';
import {
  actionOf,
  applyAction,
  exportName,
  focusList,
  isOuter,
  type OuterAction,
  select,
  sortList,
} from './actions.js';
import { guardTerminal, type QuitSignal } from './guard.js';
import { Playback, parseTime } from './playback.js';
import { Screen } from './screen.js';
import type { Colours } from './theme.js';

/** What `w` starts and stops. */
export interface Recorder {
  /** Name of the file being written; null while none is. */
  readonly file: string | null;
  /** Resolves to what was done, in words. Rejects with a `UserError`. */
  toggle(): Promise<string>;
}

export interface DashboardOptions {
  readonly output?: Writable;
  readonly input?: Readable;
  readonly term?: string;
  readonly colours?: Colours;
  readonly mode: 'live' | 'replay' | 'stream';
  /** What the footer shows, and what `+` and `-` change; the caller pushes snapshots at this pace. */
  readonly intervalMs: number;
  /** Mode `replay`: what the keys steer. It shows its own snapshots; nobody else pushes any. */
  readonly replay?: Replay;
  readonly recorder?: Recorder;
  /** Writes an export and returns the name it got. Throws a `UserError`. */
  save?(name: string, extension: string, text: string): string;
  /** The person wants to leave, or a signal came: the terminal is restored by then. `null`: the key q. */
  onQuit(signal: QuitSignal | null): void;
  onInterval?(intervalMs: number): void;
  /** What one frame took: for benchmarks. */
  onFrame?(took: Took): void;
}

/** `cpuMs`: of the whole process meanwhile, its collector's threads included; ms. */
export interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Frames for snapshots: four a second at most, which is as fast as figures can be read. */
const UPDATE_MS = 250;
/** Frames for keys: quick enough to feel immediate, and a held key does not draw each repeat. */
const KEY_MS = 40;

export class Dashboard {
  private readonly options: DashboardOptions;
  private readonly screen: Screen;
  private readonly playback: Playback | null;
  private readonly release: () => void;
  private state: ViewState;
  private view: View;
  private rules: readonly AlertRule[] | null = null;
  private alerts: AlertEngine | null = null;
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
    this.state = initialState(this.screen.width, this.screen.height, options.mode, options.intervalMs);
    this.playback = this.playbackOf(options);
    this.view = buildView(null, null, this.state);
    this.screen.onKey((key, char) => this.key(key, char));
    this.screen.onMouse((x, y, wheel) => this.mouse(x, y, wheel));
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
      show: (snapshot, jumped) => {
        if (jumped) this.forget();
        this.update(snapshot);
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
    this.rules = rules;
    this.alerts = new AlertEngine(rules);
    if (this.newest === null) return;
    this.judge(this.newest);
    this.drawSoon(UPDATE_MS);
  }

  private judge(snapshot: Snapshot): void {
    if (this.alerts === null) return;
    const fired = this.alerts.evaluate(snapshot).filter(({ kind }) => kind === 'firing');
    this.state = { ...this.state, alerts: this.alerts.status() };
    const [first] = fired;
    // What fired in a recording is over: its markers stand on the time bar.
    if (first === undefined || this.playback !== null) return;
    this.screen.bell();
    this.say(alertText(first), true);
  }

  /** What was seen so far is no earlier state of what comes: rules begin anew, over the session up to there. */
  private forget(): void {
    this.newest = null;
    if (this.rules !== null) this.alerts = new AlertEngine(this.rules);
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
   * Mode `replay`: plays from the beginning at `speed`; without one, goes to the end at once. Settles when it is there,
   * or plays.
   */
  async play(speed?: number): Promise<void> {
    const { playback } = this;
    if (playback === null) return;
    if (speed === undefined) {
      await playback.seek(playback.replay.duration);
    } else {
      playback.replay.speed = speed;
      playback.replay.paused = false;
    }
  }

  /** Gives the terminal back. May be called again. */
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.playback?.stop();
    this.release();
    this.screen.destroy();
  }

  private show(): void {
    this.shown = [this.newest, this.beforeNewest];
    if (this.newest !== null) this.state = refreshDetail(this.state, this.newest);
  }

  private key(key: string, char: string): void {
    if (this.closed || this.suspended) return;
    // Ctrl-C quits whatever is being typed.
    if (this.state.prompt !== null && key !== 'C-c') {
      this.typed(key, char);
      return;
    }
    const action = actionOf(key, this.options.mode);
    if (action === undefined) return;
    if (this.state.note !== null) this.change({ ...this.state, note: null });
    this.current();
    if (isOuter(action)) this.outer(action, key);
    else this.change(applyAction(this.state, action, this.view, key));
  }

  /** Two keys within one frame: the second acts on what the first made. */
  private current(): void {
    if (this.timer !== null) this.view = buildView(this.shown[0], this.shown[1], this.state);
  }

  private typed(key: string, char: string): void {
    const { prompt } = this.state;
    if (prompt === null) return;
    const { kind, text } = prompt;
    if (kind === 'export') {
      this.change({ ...this.state, prompt: null });
      if (key === 'j') this.export('json');
      else if (key === 'c') this.export('csv');
      return;
    }
    const close = (): ViewState => ({ ...this.state, prompt: null });
    const type = (next: string): void =>
      this.change({ ...this.state, prompt: { kind, text: next }, ...(kind === 'filter' ? { filter: next } : {}) });
    if (key === 'escape') this.change(kind === 'filter' ? { ...close(), filter: '' } : close());
    else if (key === 'backspace') type([...text].slice(0, -1).join(''));
    else if (key === 'enter') {
      this.change(close());
      if (kind === 'goto') this.goTo(text);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    } else if (char !== '' && !/[\x00-\x1f\x7f]/.test(char)) type(text + char);
  }

  private outer(action: OuterAction, key: string): void {
    const { playback } = this;
    switch (action) {
      case 'quit':
        this.destroy();
        this.options.onQuit(key === 'C-c' ? 'SIGINT' : null);
        return;
      case 'suspend':
        process.kill(process.pid, 'SIGTSTP');
        return;
      case 'pause':
        if (playback === null) this.change({ ...this.state, paused: !this.state.paused });
        else playback.pause();
        break;
      case 'copy':
        this.copy();
        break;
      case 'record':
        this.record();
        break;
      case 'seekBack':
        void playback?.seekBy(-1);
        break;
      case 'seekForward':
        void playback?.seekBy(1);
        break;
      case 'speedDown':
        playback?.slower();
        break;
      case 'speedUp':
        playback?.faster();
        break;
      case 'step':
        void playback?.step();
        break;
      case 'markerNext':
        this.toMarker(1);
        break;
      case 'markerPrevious':
        this.toMarker(-1);
        break;
    }
    this.drawSoon(KEY_MS);
  }

  private toMarker(direction: 1 | -1): void {
    const none = direction === 1 ? 'no marker behind this' : 'no marker before this';
    void this.playback?.marker(direction).then((text) => this.say(text ?? none));
  }

  private goTo(text: string): void {
    const { playback } = this;
    if (playback === null || text === '') return;
    const time = parseTime(text, playback.replay.duration);
    if (time === null) this.say(`no time: ${text}; 12.5, 1:02 or -3 from the end`, true);
    else void playback.seek(time);
  }

  private copy(): void {
    const { rows } = this.view;
    const text = rows === null ? '' : copyText(rows, drawnState(this.view, this.state).selected, this.state);
    if (text === '') {
      this.say('nothing to copy', true);
      return;
    }
    this.screen.copy(text);
    const [first = ''] = text.split('\n');
    this.say(`sent to the clipboard: ${first}`);
  }

  private record(): void {
    const { recorder } = this.options;
    if (recorder === undefined) {
      this.say('nothing is recorded here', true);
      return;
    }
    recorder.toggle().then(
      (text) => this.say(text),
      (error: unknown) => this.say(messageOf(error), true),
    );
  }

  private export(format: 'json' | 'csv'): void {
    const [snapshot] = this.shown;
    const { save } = this.options;
    const { rows } = this.view;
    const { detail } = this.state;
    if (snapshot === null || rows === null || save === undefined) {
      this.say('nothing to export', true);
      return;
    }
    if (detail !== null && format === 'csv') {
      this.say('one fault is no table: export it as JSON', true);
      return;
    }
    const text =
      detail !== null
        ? exportFault(detail, snapshot)
        : format === 'csv'
          ? exportCsv(rows)
          : exportJson(rows, snapshot, this.state);
    try {
      this.say(`written: ${save(exportName(this.state), format, text)}`);
    } catch (error) {
      this.say(messageOf(error), true);
    }
  }

  /** In the footer until the next key. */
  say(text: string, bad = false): void {
    if (this.closed) return;
    const note: Note = { text, bad };
    this.change({ ...this.state, note });
  }

  private mouse(x: number, y: number, wheel: -1 | 0 | 1): void {
    if (this.closed || this.suspended || this.state.prompt !== null) return;
    this.current();
    if (wheel !== 0) {
      this.change(applyAction(this.state, wheel < 0 ? 'up' : 'down', this.view, ''));
      return;
    }
    const hit = this.view.hits.find((h) => x >= h.left && x < h.left + h.width && y >= h.top && y < h.top + h.height);
    if (hit !== undefined) this.clicked(hit.click);
  }

  private clicked(click: Click): void {
    switch (click.kind) {
      case 'view':
        this.change({ ...this.state, view: click.view, detail: null, helpOpen: false });
        return;
      case 'seek':
        void this.playback?.seek(click.time);
        return;
      case 'focus':
        this.change({ ...this.state, ...focusList(this.state, click.list) });
        return;
      case 'sort':
        this.change({ ...this.state, ...sortList(this.state, this.view, click.list, click.field) });
        return;
      case 'row': {
        const drawn = this.view.lists[click.list]?.state.selected;
        const again = click.list === this.view.focus && drawn === click.index;
        // A click on the selected row opens it.
        if (again) this.change(applyAction(this.state, 'detail', this.view, ''));
        else {
          const focused = { ...this.state, ...focusList(this.state, click.list) };
          const view = buildView(this.shown[0], this.shown[1], focused);
          this.change({ ...focused, ...select(focused, view, click.list, click.index) });
        }
      }
    }
  }

  private change(state: ViewState): void {
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
    this.drawSoon(KEY_MS);
  }

  private resize(): void {
    this.state = { ...this.state, width: this.screen.width, height: this.screen.height };
    this.drawSoon(KEY_MS);
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
    this.view = buildView(this.shown[0], this.shown[1], this.state);
    const lists = { ...this.state.lists };
    for (const [id, drawn] of Object.entries(this.view.lists)) lists[id as keyof typeof lists] = drawn.state;
    this.state = { ...this.state, lists };
    this.screen.draw(this.view);
    this.drawnAt = performance.now();
    const { user, system } = process.cpuUsage(begun.cpu);
    this.options.onFrame?.({ wallMs: this.drawnAt - begun.wall, cpuMs: (user + system) / 1000 });
  }
}

function replayState({ position, duration, atEnd, speed, paused, seeking, markers }: Replay): ViewState['replay'] {
  return { position, duration, atEnd, speed, paused, seeking, markers };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
