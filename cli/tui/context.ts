// SPDX-License-Identifier: MIT
/** What the dashboard is given, and what its keys and clicks work on. */
import type { Readable, Writable } from 'node:stream';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { ViewState } from '../../src/core/view/state.js';
import type { View } from '../../src/core/view/view.js';
import type { Replay } from '../../src/recording/play/replay.js';
import type { Playback } from './playback.js';
import type { QuitSignal } from './restore-terminal.js';
import type { Screen } from './screen.js';
import type { SettingsFile } from './settings.js';
import type { Colours } from './theme.js';

/** What `w` starts and stops. */
export interface Recorder {
  /** Name of the file being written; null while none is. */
  readonly file: string | null;
  /** Resolves to what was done, in words. Rejects with a `UserError`. */
  toggle(): Promise<string>;
}

/** `cpuMs`: of the whole process meanwhile, its collector's threads included. */
export interface Took {
  readonly wallMs: number;
  readonly cpuMs: number;
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
  /** Where what the person chose is kept; absent: nowhere. */
  readonly settings?: SettingsFile;
  /** Of rows, from the beginning on. */
  readonly filter?: string;
  /** Writes an export and resolves to the name it got. Rejects with a `UserError`. */
  save?(name: string, extension: string, text: string): Promise<string>;
  /** The person wants to leave, or a signal came: the terminal is restored by then. `null`: the key q. */
  onQuit(signal: QuitSignal | null): void;
  onInterval?(intervalMs: number): void;
  /** What one frame took: for benchmarks. */
  onFrame?(took: Took): void;
}

/** The dashboard as keys and clicks see it. */
export interface DashboardContext {
  readonly options: DashboardOptions;
  readonly screen: Screen;
  readonly playback: Playback | null;
  readonly state: ViewState;
  /** What `state` looks like now, drawn or not. */
  readonly view: View;
  /** What is shown; null before the first figures. */
  readonly snapshot: Snapshot | null;
  change(state: ViewState): void;
  viewOf(state: ViewState): View;
  /** In the footer until the next key. */
  say(text: string, bad?: boolean): void;
  /** Draws soon: what a key steers has changed. */
  redraw(): void;
  /** Gives the terminal back and ends. */
  leave(signal: QuitSignal | null): void;
}
