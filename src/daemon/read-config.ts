// SPDX-License-Identifier: MIT
/** The daemon's configuration file. Errors name file, line, key and what is allowed. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Action, readActions } from '../actions/actions.js';
import { loadRules, readRules } from '../actions/rules.js';
import type { Section } from '../config/section.js';
import { parseToml, readToml } from '../config/toml.js';
import type { AlertRule } from '../core/alerts/rule.js';
import { ExitCode, fileError, UserError } from '../errors.js';
import { sudoOwner } from '../output/place.js';
import { type DaemonConfig, KEYS } from './config.js';
import type { Key } from './config-kinds.js';

type AnyKeys = Readonly<Record<string, Readonly<Record<string, Key<unknown>>>>>;
type Values = Record<string, Record<string, unknown>>;

const TABLE = KEYS as AnyKeys;

/** `minUs` is `min_us` in the file. */
export function fileName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export interface Loaded {
  readonly config: DaemonConfig;
  /** Those of the file, or the default set where it has none; empty when alerts are off. */
  readonly rules: readonly AlertRule[];
  readonly actions: readonly Action[];
}

/** `held`: see readToml. Rejects with a `UserError` (exit code 2) when the file cannot be read or says something that is not allowed. */
export async function readConfig(path: string, held: FileHandle | null = null): Promise<Loaded> {
  const owner = held === null ? sudoOwner()?.uid : (await held.stat()).uid;
  return load(await readToml(path, held, (found) => refuseOthers(path, found, owner)));
}

/**
 * The file, for reloads by a user who may not open it; null for a pipe, which is not read twice. By now another file may have
 * its name: what `readConfig` would refuse is refused here too. Rejects with a `UserError`.
 */
export async function holdConfig(path: string): Promise<FileHandle | null> {
  const guard = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw fileError(`cannot read ${path}`, error);
    });
  // Without O_NONBLOCK a pipe put in its place would block the open.
  const held = await guard(open(path, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const found = await guard(held.stat());
    refuseOthers(path, found, sudoOwner()?.uid);
    if (found.isFile()) return held;
  } catch (error) {
    await held.close();
    throw error;
  }
  await held.close();
  return null;
}

/** An `exec` action runs what the file says: it is not to be somebody else's. `owner`: of whom it may be besides root and us. */
function refuseOthers(path: string, found: Stats, owner: number | undefined): void {
  if (!found.isFile()) return;
  const trusted = [0, process.geteuid?.(), owner].includes(found.uid);
  if (trusted && (found.mode & 0o002) === 0) return;
  throw new UserError(
    `cannot use ${path}`,
    trusted ? 'everybody may write to it' : `it belongs to another user (${found.uid})`,
    trusted
      ? `chmod o-w ${path}`
      : 'the daemon runs commands that are in it: copy it to a file of your own, and read that first',
    ExitCode.Usage,
  );
}

/** `name`: what errors call the file. Rejects with a `UserError`. */
export async function parseConfig(text: string, name: string): Promise<Loaded> {
  return load(parseToml(text, name));
}

async function load(top: Section): Promise<Loaded> {
  const config = readTables(top);
  const own = readRules(top);
  const rules = own.length > 0 ? own : await loadRules();
  const actions = readActions(
    top,
    rules.map((rule) => rule.name),
  );
  top.finish();
  return config.alerts.enabled ? { config, rules, actions } : { config, rules: [], actions: [] };
}

function readTables(top: Section): DaemonConfig {
  const values: Values = {};
  for (const [table, keys] of Object.entries(TABLE)) {
    const section = top.section(table);
    const read: Record<string, unknown> = {};
    for (const [name, { kind, fallback }] of Object.entries(keys))
      read[name] = (section && kind.read(section, fileName(name))) ?? fallback;
    section?.finish();
    values[table] = read;
  }
  return values as unknown as DaemonConfig;
}

/** Keys that differ and that a running daemon cannot change, as `observe.scope`. */
export function fixedChanges(was: DaemonConfig, is: DaemonConfig): string[] {
  const [before, after] = [was as unknown as Values, is as unknown as Values];
  return Object.entries(TABLE).flatMap(([table, keys]) =>
    Object.entries(keys).flatMap(([name, { reloadable }]) =>
      reloadable || JSON.stringify(before[table]?.[name]) === JSON.stringify(after[table]?.[name])
        ? []
        : [`${table}.${fileName(name)}`],
    ),
  );
}
