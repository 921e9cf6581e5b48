// SPDX-License-Identifier: MIT
/** The cgroups a session follows: asked for by path, id, container, pod or unit, written to the probes' map (bpf/cgroups.bpf.h). */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CgroupFilter, type CgroupFilterKind, isMeant, podPath } from '../../core/vocabulary/cgroup-filter.js';
import { podOf, unitOf } from '../../core/vocabulary/cgroups.js';
import { ExitCode, UserError } from '../../errors.js';
import { type CgroupOptions, hostOptions } from './cgroups.js';
import { ContainerNames } from './container-names.js';

/** CGROUPS of bpf/cgroups.bpf.h. */
export const MAX_CGROUPS = 16;

export interface FollowedCgroup {
  readonly id: bigint;
  /** Below the mount. */
  readonly path: string;
}

/** Where what is lacking can be looked up. */
const LISTED: Readonly<Record<CgroupFilterKind, string>> = {
  cgroup: 'systemd-cgls lists them by path, and `ls -di` of a directory below the mount says its id',
  container: 'name it as `docker ps`, `podman ps` or `crictl ps` do, or by the first digits of its id',
  pod: 'write NAMESPACE/NAME as `kubectl get pods -A` has them, or the uid of the pod; `crictl pods` lists those of this node',
  unit: 'systemctl list-units lists them; a unit that does not run has no cgroup',
};

/** Each is found, with what lies below it. Throws `UserError`: 2 where there is no such cgroup, or too many are; 3 where there are none at all. */
export async function findCgroups(
  filters: readonly CgroupFilter[],
  options: CgroupOptions = hostOptions('/'),
): Promise<readonly FollowedCgroup[]> {
  if (filters.length === 0) return [];
  const { mount } = options;
  if (mount === null)
    throw new UserError(
      'cannot follow a cgroup',
      'no cgroup2 file system is mounted here',
      'mount one: mount -t cgroup2 none /sys/fs/cgroup',
      ExitCode.CannotObserve,
    );
  const names = new ContainerNames(options.root);
  const wanted = filters.map((filter) => ({ filter: belowMount(filter, mount), found: new Set<string>() }));
  await walk(mount, '/', async (path, id) => {
    const unit = unitOf(path);
    const named = wanted.some(({ filter: { kind } }) => kind === 'container' || kind === 'pod');
    const name = unit === null || !named ? '' : await names.name(unit, podOf(path));
    for (const { filter, found } of wanted) {
      if (!isMeant(filter, { id: Number(id), path, name })) continue;
      // A pod without a name of its own is known by its containers, and there may be others.
      found.add(filter.kind === 'pod' ? podPath(path) : path);
    }
  });
  for (const { filter, found } of wanted)
    if (found.size === 0)
      throw refused(`follow ${filter.kind} ${filter.text}`, 'there is none on this host', LISTED[filter.kind]);
  const all = topmost([...new Set(wanted.flatMap(({ found }) => [...found]))]);
  if (all.length > MAX_CGROUPS)
    throw refused(
      `follow ${all.length} cgroups`,
      `a session follows ${MAX_CGROUPS} at most, and ${all.slice(0, 3).join(', ')} … are meant`,
      'name one that they all lie in, or fewer of them',
    );
  const ids = await Promise.all(all.map((path) => inode(join(mount, path))));
  return all.flatMap((path, i) => (ids[i] == null ? [] : [{ id: ids[i], path }]));
}

/** People copy paths as the file system has them. */
function belowMount(filter: CgroupFilter, mount: string): CgroupFilter {
  const { kind, text } = filter;
  if (kind !== 'cgroup' || !(text === mount || text.startsWith(`${mount}/`))) return filter;
  return { kind, text: text.slice(mount.length) || '/' };
}

/** Those that lie in none of the others. */
function topmost(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && `${path}/`.startsWith(asDirectory(other))));
}

function asDirectory(path: string): string {
  return path === '/' ? path : `${path}/`;
}

async function walk(mount: string, path: string, see: (path: string, id: bigint) => Promise<void>): Promise<void> {
  const id = await inode(join(mount, path));
  // It was removed meanwhile.
  if (id === null) return;
  await see(path, id);
  const entries = await readdir(join(mount, path), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await walk(mount, join(path, entry.name), see);
}

function inode(path: string): Promise<bigint | null> {
  return stat(path, { bigint: true }).then(
    ({ ino }) => ino,
    () => null,
  );
}

function refused(what: string, why: string, remedy: string): UserError {
  return new UserError(`cannot ${what}`, why, remedy, ExitCode.Usage);
}
