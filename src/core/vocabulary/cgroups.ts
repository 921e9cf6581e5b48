// SPDX-License-Identifier: MIT
/** What a cgroup is to people: the container, pod or systemd unit its path names. */

export interface CgroupUnit {
  /** `unit`: of systemd. `pod`: of Kubernetes, its own cgroup above those of its containers. */
  readonly kind: 'container' | 'pod' | 'machine' | 'unit';
  /** The 64 digits of a container, the uid of a pod, the name of a machine or unit. */
  readonly id: string;
  /** uid of the user whose own manager runs it (user@UID.service), null for the system's. */
  readonly user: number | null;
}

/** systemd driver: `docker-ID.scope`, `libpod-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `nerdctl-ID.scope`; the cgroupfs driver leaves out prefix and suffix, or the latter. */
const CONTAINER = /^(?:[a-z][a-z-]*-)?([0-9a-f]{64})(?:\.scope)?$/;
/** The process that watches a container is no part of it. */
const MONITOR = /^(?:libpod|crio)-conmon-/;
/** `kubepods-burstable-podUID.slice` (dashes as underscores), `podUID`. */
const POD =
  /(?:^|-)pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
/** LXC and Incus; systemd-machined (virtual machines and nspawn). */
const MACHINES: readonly RegExp[] = [/^lxc\.payload\.(.+)$/, /^machine-(.+)\.scope$/, /^systemd-nspawn@(.+)\.service$/];
const UNIT = /^.+\.(?:service|scope|socket|mount|swap)$/;
const USER_MANAGER = /^user@(\d+)\.service$/;

/** What `path` (of a cgroup, below the mount) is, of containers within each other the innermost; null for slices, the root and hand-made groups. */
export function unitOf(path: string): CgroupUnit | null {
  const parts = path.split('/');
  const manager = parts.map((part) => USER_MANAGER.exec(part)?.[1]).find((uid) => uid !== undefined);
  const user = manager === undefined ? null : Number(manager);
  for (const { kind, name } of KINDS) {
    for (const part of parts.toReversed()) {
      const id = name(part);
      if (id !== null) return { kind, id, user };
    }
  }
  return null;
}

/** Whether a user's own manager runs what is there. */
export function isOfUser(path: string): boolean {
  return path.split('/').some((part) => USER_MANAGER.test(part));
}

/** uid of the pod of Kubernetes that `path` lies in; null for none. */
export function podOf(path: string): string | null {
  for (const part of path.split('/')) {
    const id = podUid(part);
    if (id !== null) return id;
  }
  return null;
}

function podUid(part: string): string | null {
  return POD.exec(part)?.[1]?.replaceAll('_', '-') ?? null;
}

/** By precedence: a container says more than the unit it runs under. */
const KINDS: readonly { kind: CgroupUnit['kind']; name: (part: string) => string | null }[] = [
  { kind: 'container', name: (part) => (MONITOR.test(part) ? null : (CONTAINER.exec(part)?.[1] ?? null)) },
  { kind: 'pod', name: podUid },
  {
    kind: 'machine',
    name: (part) => {
      const name = MACHINES.map((pattern) => pattern.exec(part)?.[1]).find((found) => found !== undefined);
      return name === undefined ? null : unescapeUnit(name);
    },
  },
  { kind: 'unit', name: (part) => (UNIT.test(part) ? unescapeUnit(part) : null) },
];

/** systemd.unit(5), "string escaping": `\x2d` for what a unit's name may not hold. */
export function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
