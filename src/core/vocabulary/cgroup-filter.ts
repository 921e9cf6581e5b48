// SPDX-License-Identifier: MIT
/** Which cgroups are meant by a path, a container, a pod or a unit: the same in the kernel's filter and over rows. */
import { isOfUser, podOf, unescapeUnit, unitOf } from './cgroups.js';

export const CGROUP_FILTERS = ['cgroup', 'container', 'pod', 'unit'] as const;
export type CgroupFilterKind = (typeof CGROUP_FILTERS)[number];

export interface CgroupFilter {
  readonly kind: CgroupFilterKind;
  /** `cgroup`: a path or an id; `container`: a name, or the first digits of an id; `pod`: NAMESPACE/NAME or uid; `unit`: of the system's manager, with or without `.service`. */
  readonly text: string;
}

/** A cgroup as far as it is known: path below the mount, and name of its container or pod (`shop/web-0/nginx`); '' where that is not known. */
export interface KnownCgroup {
  readonly id: number;
  readonly path: string;
  readonly name: string;
}

/** Fewer digits than that are taken for a name. */
const ID_DIGITS = 4;

/** Whether the cgroup is the one that is meant, or lies below it. */
export function isMeant({ kind, text }: CgroupFilter, { id, path, name }: KnownCgroup): boolean {
  // Users make groups of their own, and call them what they like: no pod and no unit of the system is among those.
  if ((kind === 'pod' || kind === 'unit') && isOfUser(path)) return false;
  switch (kind) {
    case 'cgroup':
      return /^\d+$/.test(text) ? String(id) === text : path !== '' && `${path}/`.startsWith(asDirectory(text));
    case 'container':
      return isContainer(text, path, name);
    case 'pod': {
      const uid = podOf(path);
      return uid !== null && (uid === text || name === text || name.startsWith(`${text}/`));
    }
    case 'unit':
      return path.split('/').some((part) => {
        const unit = unescapeUnit(part);
        return unit === text || unit === `${text}.service`;
      });
  }
}

function isContainer(text: string, path: string, name: string): boolean {
  const unit = unitOf(path);
  if (unit === null || (unit.kind !== 'container' && unit.kind !== 'machine')) return false;
  if (unit.kind === 'container' && text.length >= ID_DIGITS && unit.id.startsWith(text.toLowerCase())) return true;
  return unit.id === text || name === text || name.endsWith(`/${text}`);
}

/** `/system.slice/`, the root `/`. */
function asDirectory(path: string): string {
  const plain = path.split('/').filter((part) => part !== '' && part !== '.');
  return plain.length === 0 ? '/' : `/${plain.join('/')}/`;
}

/** The path down to the pod; as it is where it lies in none. */
export function podPath(path: string): string {
  const parts = path.split('/');
  const at = parts.findIndex((part) => podOf(part) !== null);
  return at < 0 ? path : parts.slice(0, at + 1).join('/');
}
