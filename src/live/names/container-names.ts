// SPDX-License-Identifier: MIT
/** Names of containers and pods from the files their runtimes keep: no daemon is asked, no socket opened. */
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupUnit } from './containers.js';

/** A container's description is some ten kilobytes, an index that many times as many containers. */
const MAX_BYTES = 4 << 20;
/** Some files lie where users may put anything: no link is followed in their place, no FIFO waited for. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;
const SHORT_ID = 12;
const MAX_KNOWN = 4096;

export class ContainerNames {
  readonly #root: string;
  /** Names that were read, by the user whose containers they are, and id. */
  readonly #known: Map<string, string> = new Map();

  /** `root`: where the host's file system is. */
  constructor(root = '/') {
    this.#root = root;
  }

  /** `web`, `shop/web-0/nginx` (namespace, pod, container); the short id where no name can be read. Never rejects. */
  async name({ kind, id, user }: CgroupUnit): Promise<string> {
    if (kind === 'container')
      return (await this.#once(`${user}/${id}`, () => this.#container(id, user))) ?? id.slice(0, SHORT_ID);
    if (kind === 'pod') return (await this.#once(`pod/${id}`, () => this.#pod(id))) ?? `pod ${id}`;
    return id;
  }

  async #once(key: string, read: () => Promise<string | null>): Promise<string | null> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = await read();
    if (name !== null && this.#known.size < MAX_KNOWN) this.#known.set(key, name);
    return name;
  }

  async #container(id: string, user: number | null): Promise<string | null> {
    return (await this.#docker(id)) ?? (await this.#containerd(id)) ?? (await this.#storage(id, user));
  }

  /** Docker keeps a container's whole description below its data root. */
  async #docker(id: string): Promise<string | null> {
    const root = text(member(await this.#json('etc/docker/daemon.json'), 'data-root')) ?? '/var/lib/docker';
    const config = await this.#json(join(root, 'containers', id, 'config.v2.json'));
    return text(member(config, 'Name'))?.replace(/^\//, '') ?? null;
  }

  /** containerd: the OCI bundle of a running task, with what Kubernetes or nerdctl wrote into its annotations. */
  async #containerd(id: string): Promise<string | null> {
    const tasks = 'run/containerd/io.containerd.runtime.v2.task';
    for (const namespace of await readdir(join(this.#root, tasks)).catch((): string[] => [])) {
      const annotations = member(await this.#json(join(tasks, namespace, id, 'config.json')), 'annotations');
      const pod = text(member(annotations, 'io.kubernetes.cri.sandbox-name'));
      if (pod !== null) {
        const space = text(member(annotations, 'io.kubernetes.cri.sandbox-namespace')) ?? '?';
        const container = text(member(annotations, 'io.kubernetes.cri.container-name')) ?? 'sandbox';
        return `${space}/${pod}/${container}`;
      }
      const name = text(member(annotations, 'nerdctl/name'));
      if (name !== null) return name;
    }
    return null;
  }

  /** Podman and CRI-O: the index of containers/storage. A user's own containers are in their home. */
  async #storage(id: string, user: number | null): Promise<string | null> {
    const home = user === null ? '' : await this.#home(user);
    if (home === null) return null;
    const storage = user === null ? 'var/lib/containers/storage' : join(home, '.local/share/containers/storage');
    for (const index of ['containers.json', 'volatile-containers.json']) {
      const list = await this.#json(join(storage, 'overlay-containers', index));
      const entry = Array.isArray(list) ? list.find((one) => member(one, 'id') === id) : undefined;
      const names = member(entry, 'names');
      const name = Array.isArray(names) ? text(names[0]) : null;
      if (name !== null) return name;
    }
    return null;
  }

  /** The kubelet names a pod's directory of logs NAMESPACE_POD_UID. */
  async #pod(uid: string): Promise<string | null> {
    const logs = await readdir(join(this.#root, 'var/log/pods')).catch((): string[] => []);
    const parts = logs.find((name) => name.endsWith(`_${uid}`))?.split('_');
    return parts?.length === 3 ? `${parts[0]}/${parts[1]}` : null;
  }

  async #home(user: number): Promise<string | null> {
    const passwd = (await this.#read('etc/passwd')) ?? '';
    return (
      passwd
        .split('\n')
        .map((line) => line.split(':'))
        .find((fields) => fields[2] === String(user))?.[5] ?? null
    );
  }

  async #json(path: string): Promise<unknown> {
    try {
      return JSON.parse((await this.#read(path)) ?? 'null');
    } catch {
      return null;
    }
  }

  /** A regular file of moderate size, below the root; null when there is none. */
  async #read(path: string): Promise<string | null> {
    try {
      const file = await open(join(this.#root, path), OPEN_FLAGS);
      try {
        const seen = await file.stat();
        return seen.isFile() && seen.size <= MAX_BYTES ? await file.readFile('utf8') : null;
      } finally {
        await file.close();
      }
    } catch {
      return null;
    }
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
