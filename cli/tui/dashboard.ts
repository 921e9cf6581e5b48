// SPDX-License-Identifier: MIT
/** The live dashboard: snapshots and keys in, frames out. Whatever ends it, the terminal is given back first. */
import type { Readable, Writable } from 'node:stream';
import type { Snapshot } from '../../src/core/snapshot.js';
import { buildView, type View } from '../../src/core/view.js';
import { perSecond } from '../../src/core/view-rows.js';
import { initialState, type ViewState } from '../../src/core/view-state.js';
import { actionOf, applyAction, editFilter } from './actions.js';
import { guardTerminal, type QuitSignal } from './guard.js';
import { Screen } from './screen.js';
import type { Colours } from './theme.js';

export interface DashboardOptions {
  readonly output?: Writable;
  readonly input?: Readable;
  readonly term?: string;
  readonly colours?: Colours;
  readonly mode: 'live' | 'replay' | 'stream';
  /** What the footer shows, and what `+` and `-` change; the caller pushes snapshots at this pace. */
  readonly intervalMs: number;
  /** The person wants to leave, or a signal came: the terminal is restored by then. `null`: the key q. */
  onQuit(signal: QuitSignal | null): void;
  onInterval?(intervalMs: number): void;
}

/** Frames for snapshots: four a second at most, which is as fast as figures can be read. */
const UPDATE_MS = 250;
/** Frames for keys: quick enough to feel immediate, and a held key does not draw each repeat. */
const KEY_MS = 40;
const HISTORY = 120;

const RATES: readonly (readonly [string, (s: Snapshot) => number])[] = [
  ['RETRY per second', (s) => s.counts.vmaLock.retry],
  ['ABORT per second', (s) => s.counts.vmaLock.abort],
  ['faults per second', (s) => s.counts.faults],
];

export class Dashboard {
  private readonly options: DashboardOptions;
  private readonly screen: Screen;
  private readonly release: () => void;
  private state: ViewState;
  private view: View;
  private newest: Snapshot | null = null;
  private beforeNewest: Snapshot | null = null;
  /** What is drawn: the newest two, or those of the moment of the pause. */
  private shown: readonly [Snapshot | null, Snapshot | null] = [null, null];
  private history: { title: string; values: number[] }[] = RATES.map(([title]) => ({ title, values: [] }));
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
    this.view = buildView(null, null, this.state);
    this.screen.onKey((key, char) => this.key(key, char));
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
    this.draw();
  }

  /** Takes a snapshot; it is drawn soon, unless the view is paused. */
  update(snapshot: Snapshot): void {
    if (this.closed) return;
    this.beforeNewest = this.newest;
    this.newest = snapshot;
    RATES.forEach(([, of], i) => {
      const values = this.history[i]?.values;
      const rate = perSecond(snapshot, this.beforeNewest, of);
      if (values === undefined || Number.isNaN(rate)) return;
      values.push(rate);
      if (values.length > HISTORY) values.shift();
    });
    if (this.state.paused) return;
    this.show();
    this.drawSoon(UPDATE_MS);
  }

  /** The source has no more. Without an End row in the last snapshot it was cut off, and the header says so. */
  sourceEnded(): void {
    this.state = { ...this.state, sourceEnded: true };
    this.drawSoon(0);
  }

  /** Gives the terminal back. May be called again. */
  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.release();
    this.screen.destroy();
  }

  private show(): void {
    this.shown = [this.newest, this.beforeNewest];
    const history = this.history.map(({ title, values }) => ({ title, values: values.slice() }));
    this.state = { ...this.state, history };
  }

  private key(key: string, char: string): void {
    if (this.closed || this.suspended) return;
    const action = actionOf(key);
    // Ctrl-C quits whatever is being typed.
    if (this.state.filterEditing && key !== 'C-c') {
      const edited = editFilter(this.state, key, char);
      if (edited !== null) this.change(edited);
      return;
    }
    if (action === undefined) return;
    if (action === 'quit') {
      this.destroy();
      this.options.onQuit(key === 'C-c' ? 'SIGINT' : null);
    } else if (action === 'suspend') {
      process.kill(process.pid, 'SIGTSTP');
    } else {
      // Two keys within one frame: the second acts on what the first made.
      if (this.timer !== null) this.view = buildView(this.shown[0], this.shown[1], this.state);
      this.change(applyAction(this.state, action, this.view));
    }
  }

  private change(state: ViewState): void {
    const before = this.state;
    this.state = state;
    if (before.paused && !state.paused) this.show();
    if (before.intervalMs !== state.intervalMs) this.options.onInterval?.(state.intervalMs);
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
    this.view = buildView(this.shown[0], this.shown[1], this.state);
    this.state = { ...this.state, tables: this.view.tables };
    this.screen.draw(this.view);
    this.drawnAt = performance.now();
  }
}
