// SPDX-License-Identifier: MIT
/**
 * What the person chose and wants to find again: orders of lists, the tree, the axis of time. Kept in
 * `$XDG_CONFIG_HOME/vmalocktop/dashboard.json` (XDG Base Directory), readable by its owner alone. It is a convenience: that
 * it cannot be read or written is no error, and whatever in it is not understood is left out.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { LISTS_OF, type ListId, type Sort, TOP, type ViewState } from '../../src/core/view/state.js';

/** More than this is no file of ours. */
const MAX_BYTES = 65_536;

export interface Settings {
  readonly tree: boolean;
  /** Of a live session; a replay begins with the whole of it. */
  readonly axis: ViewState['axis'];
  readonly sorts: Readonly<Partial<Record<ListId, Sort>>>;
}

export class SettingsFile {
  readonly #directory: string | null;
  #text = '';
  #loaded: Partial<Settings> = {};

  /** `env`: of the process; `home`: where it says nothing. */
  constructor(env: Readonly<Record<string, string | undefined>> = process.env, home: string = homedir()) {
    this.#directory = directoryOf(env, home);
  }

  get path(): string | null {
    return this.#directory === null ? null : join(this.#directory, 'dashboard.json');
  }

  load(): Partial<Settings> {
    if (this.path === null) return {};
    try {
      const found = statSync(this.path);
      // Nor is a pipe, which waits for who writes to it.
      if (!found.isFile() || found.size > MAX_BYTES) return {};
      this.#text = readFileSync(this.path, 'utf8');
      this.#loaded = understood(JSON.parse(this.#text));
      return this.#loaded;
    } catch {
      return {};
    }
  }

  /** Synchronous: it is called while the dashboard ends. Where nothing was chosen there will be no file. */
  save(state: ViewState): void {
    const settings = settingsOf(state, this.#loaded);
    const text = `${JSON.stringify(settings, null, 2)}\n`;
    if (this.path === null || this.#directory === null || text === this.#text) return;
    if (this.#text === '' && !settings.tree && settings.axis === 'recent' && Object.keys(settings.sorts).length === 0)
      return;
    const temporary = `${this.path}.${process.pid}`;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
      renameSync(temporary, this.path);
      this.#text = text;
    } catch {
      discard(temporary);
    }
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Its folder is none.
  }
}

/** null where it would be somebody else's: root in the home of the user who called sudo. */
function directoryOf(env: Readonly<Record<string, string | undefined>>, home: string): string | null {
  const given = env.XDG_CONFIG_HOME ?? '';
  const base = isAbsolute(given) ? given : home;
  try {
    if (statSync(base).uid !== process.geteuid?.()) return null;
  } catch {
    return null;
  }
  return isAbsolute(given) ? join(given, 'vmalocktop') : join(home, '.config', 'vmalocktop');
}

const LIST_IDS: ReadonlySet<string> = new Set(Object.values(LISTS_OF).flat());

function understood(value: unknown): Partial<Settings> {
  if (typeof value !== 'object' || value === null) return {};
  const { tree, axis, sorts } = value as Record<string, unknown>;
  const orders = Object.entries(typeof sorts === 'object' && sorts !== null ? sorts : {}).flatMap(
    ([list, sort]): [string, Sort][] => {
      const { field, descending } = (typeof sort === 'object' && sort !== null ? sort : {}) as Record<string, unknown>;
      return LIST_IDS.has(list) && typeof field === 'string' && typeof descending === 'boolean'
        ? [[list, { field, descending }]]
        : [];
    },
  );
  return {
    ...(typeof tree === 'boolean' ? { tree } : {}),
    ...(axis === 'whole' || axis === 'recent' ? { axis } : {}),
    sorts: Object.fromEntries(orders) as Settings['sorts'],
  };
}

function settingsOf({ tree, axis, lists, source }: ViewState, before: Partial<Settings>): Settings {
  const sorts = Object.entries(lists).flatMap(([list, { sort }]) => (sort === null ? [] : [[list, sort] as const]));
  // A replay has an axis of its own.
  return { tree, axis: source === 'replay' ? (before.axis ?? 'recent') : axis, sorts: Object.fromEntries(sorts) };
}

/** `state` as the settings have it. */
export function withSettings(state: ViewState, { tree, axis, sorts }: Partial<Settings>): ViewState {
  const lists = Object.fromEntries(Object.entries(sorts ?? {}).map(([list, sort]) => [list, { ...TOP, sort }]));
  return {
    ...state,
    ...(tree === undefined ? {} : { tree }),
    ...(axis === undefined || state.source === 'replay' ? {} : { axis }),
    lists: { ...state.lists, ...lists },
  };
}
