// SPDX-License-Identifier: MIT
/**
 * Cgroup v2 ids as paths and names.
 *
 * The id is the inode number of the group's directory (kernfs_ino). Nothing but a walk leads from one to the other for
 * a user that may not open by handle, so ids that turn up new are looked for together, in the background, now and then.
 */
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventBatch } from '../../core/events/batch.js';
import { pushUserRow } from '../../core/events/user-rows.js';
import { podOf, unitOf } from '../../core/vocabulary/cgroups.js';
import { printable } from '../../symbols/text.js';
import { ContainerNames } from './container-names.js';
import { TextPool } from './strings.js';

/** Between two walks; doubled while they find none of what is missing, up to `SELDOM_MS`. */
const OFTEN_MS = 500;
const SELDOM_MS = 60_000;
/** A walk is followed by this many times as long without one: users make as many groups as they like. */
const REST = 10;
/** Ids remembered as seen. Beyond, all are forgotten, and looked for and handed on once more as they turn up. */
const MAX_GROUPS = 65_536;
/** Paths that get a place in the list of strings. */
const MAX_NAMES = 16_384;

export interface CgroupOptions {
  /** Where cgroup2 is mounted; null: nowhere. */
  readonly mount: string | null;
  /** What of the hierarchy is mounted there, from the root of this process's cgroup namespace: `/`, `/../..`. */
  readonly mounted?: string;
  /** Where the host's files are, for the names of containers. */
  readonly root: string;
}

interface Mount {
  readonly mount: string;
  readonly mounted: string;
}

/** Where cgroup2 is mounted below `root` by `mountinfo` (proc_pid_mountinfo(5)), also beside version 1; null when it is not. */
export function cgroupMount(mountinfo: string, root = '/'): string | null {
  return findMount(mountinfo, root)?.mount ?? null;
}

function findMount(mountinfo: string, root: string): Mount | null {
  const below = root.endsWith('/') ? root : `${root}/`;
  for (const line of mountinfo.split('\n')) {
    const [fields = '', type = ''] = line.split(' - ');
    if (!type.startsWith('cgroup2 ')) continue;
    const [mounted = '', mount = ''] = fields
      .split(' ')
      .slice(3, 5)
      .map((field) =>
        field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
      );
    if (mount.startsWith(below)) return { mount, mounted };
  }
  return null;
}

/** `root`: where the host's file system is seen: `/`, or a mount of it inside a container, whose own cgroup2 shows a part. */
export function hostOptions(
  root: string,
  mountinfo: string = readFileSync('/proc/self/mountinfo', 'utf8'),
): CgroupOptions {
  const found = (root === '/' ? null : findMount(mountinfo, root)) ?? findMount(mountinfo, '/');
  return found === null ? { mount: null, root } : { ...found, root };
}

export class CgroupReader {
  /** Why groups have no names; empty when they can have. */
  readonly why: string;
  readonly #mount: string | null;
  readonly #names: ContainerNames;
  readonly #texts: TextPool;
  readonly #seen: Set<number> = new Set();
  /** Seen, and not found yet. */
  readonly #missing: Set<number> = new Set();
  /** Found, and not handed on yet. */
  readonly #ready: Map<number, string> = new Map();
  #walking: Promise<void> | null = null;
  #pause = OFTEN_MS;
  #due = 0;
  /** No walk before that, whatever is new. */
  #rested = 0;

  /** `strings`: those of the source's batches. */
  constructor(strings: string[], options: CgroupOptions = hostOptions('/')) {
    this.#texts = new TextPool(strings, MAX_NAMES);
    this.#mount = options.mount;
    this.#names = new ContainerNames(options.root);
    this.why = options.mount === null ? 'no cgroup2 file system is mounted here' : '';
  }

  /** The list of the source's next batches. */
  renewStrings(strings: string[]): void {
    this.#texts.renew(strings);
  }

  /** Takes note of the groups in a batch of kernel rows, from row `from` on, and goes to look for those that are new. */
  note(batch: EventBatch, from = 0): void {
    const { cgroup, length } = batch;
    let last = 0;
    for (let i = from; i < length; i++) {
      const id = cgroup[i] as number;
      if (id === last || id === 0) continue;
      last = id;
      if (this.#seen.has(id)) continue;
      if (this.#seen.size >= MAX_GROUPS) this.#forget();
      this.#seen.add(id);
      this.#missing.add(id);
      this.#pause = OFTEN_MS;
      this.#due = Math.min(this.#due, performance.now() + OFTEN_MS);
    }
    this.#walkIfDue();
  }

  /** Appends a `UserKind.Cgroup` row for each group found since the last call, as far as `batch` has room. Returns the rows added. */
  emit(batch: EventBatch, time: number): number {
    this.#walkIfDue();
    const before = batch.length;
    for (const [id, text] of this.#ready) {
      if (batch.length >= batch.kind.length) break;
      this.#ready.delete(id);
      pushUserRow(batch, 'Cgroup', time, { id });
      batch.comm[batch.length - 1] = this.#texts.id(text);
    }
    return batch.length - before;
  }

  /** Reads the names of the containers there are by now: later, the files that hold them may no longer be ours to read. At most `ms`. */
  async prime(ms: number): Promise<void> {
    if (this.#mount !== null) await within(ms, this.#primeBelow(this.#mount, '/', performance.now() + ms));
  }

  async #primeBelow(mount: string, path: string, until: number): Promise<void> {
    if (performance.now() > until) return;
    const entries = await readdir(join(mount, path), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isDirectory()) continue;
      const below = join(path, entry.name);
      const unit = unitOf(below);
      if (unit !== null) await this.#names.name(unit, podOf(below));
      await this.#primeBelow(mount, below, until);
    }
  }

  /** Resolves when no walk is under way, at the latest after `ms`. */
  async settle(ms: number): Promise<void> {
    this.#due = this.#rested = 0;
    this.#walkIfDue();
    if (this.#walking !== null) await within(ms, this.#walking);
  }

  #walkIfDue(): void {
    if (this.#missing.size === 0 || this.#walking !== null || this.#mount === null) return;
    if (performance.now() < Math.max(this.#due, this.#rested)) return;
    this.#walking = this.#look(this.#mount).finally(() => {
      this.#walking = null;
    });
  }

  #forget(): void {
    this.#seen.clear();
    this.#missing.clear();
  }

  async #look(mount: string): Promise<void> {
    const found = new Map<number, string>();
    const began = performance.now();
    await this.#walk(mount, '/', found);
    for (const [id, path] of found) {
      const unit = unitOf(path);
      const name = unit === null ? '' : printable(await this.#names.name(unit, podOf(path)));
      this.#ready.set(id, name === '' ? printable(path) : `${printable(path)}\t${name}`);
    }
    // A group that was gone before it was looked for never turns up: no walk a second for its sake.
    this.#pause = found.size > 0 ? OFTEN_MS : Math.min(SELDOM_MS, this.#pause * 2);
    const now = performance.now();
    this.#due = now + this.#pause;
    this.#rested = now + REST * (now - began);
  }

  /** Into `found` go the groups that are missing. */
  async #walk(mount: string, path: string, found: Map<number, string>): Promise<void> {
    try {
      const { ino } = await stat(join(mount, path));
      if (this.#missing.delete(ino)) found.set(ino, path);
      if (this.#missing.size === 0) return;
      const entries = await readdir(join(mount, path), { withFileTypes: true });
      for (const entry of entries) if (entry.isDirectory()) await this.#walk(mount, join(path, entry.name), found);
    } catch {
      // It was removed meanwhile.
    }
  }
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
