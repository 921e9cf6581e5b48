// SPDX-License-Identifier: MIT
/** Names of containers and pods from the files their runtimes keep: no daemon is asked, no socket opened. */
import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupUnit } from '../../core/vocabulary/cgroups.js';
import { KubernetesLogs } from './kubernetes-logs.js';

/** A container's description is some ten kilobytes, an index a kilobyte or two a container. */
const MAX_BYTES = 4 << 20;
/** Of an index in a user's home, who may write to it what they like, and make groups that have it read. */
const MAX_USER_BYTES = 1 << 20;
/** An index is not parsed again before that, ms: a runtime writes it before the container starts. */
const AGAIN_MS = 200;
/** A file in a user's home that has not come by then, ms, lies on a file system that does not answer. */
const HOME_MS = 2000;
const MAX_INDEXES = 64;
/** Some files lie where users may put anything: no link is followed in their place, no FIFO waited for. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;
const SHORT_ID = 12;
const MAX_KNOWN = 4096;

/** Names by id. */
interface Index {
  readonly names: ReadonlyMap<string, string>;
  /** What it was read from; another one is another file, or was written to. */
  readonly stamp: string;
  readonly at: number;
}

export class ContainerNames {
  readonly #root: string;
  readonly #logs: KubernetesLogs;
  readonly #indexes: Map<string, Index> = new Map();
  /** A home did not answer: a thread of libuv's four waits for it, and no other is to. */
  #stuck = false;
  /** Names that were read, by the user whose containers they are, and id. */
  readonly #known: Map<string, string> = new Map();

  /** `root`: where the host's file system is. */
  constructor(root = '/') {
    this.#root = root;
    this.#logs = new KubernetesLogs(root);
  }

  /**
   * `web`, `shop/web-0/nginx` (namespace, pod, container); the short id where no name can be read. `pod`: uid of the pod the
   * container is in, where its cgroup says so. Never rejects.
   */
  async name({ kind, id, user }: CgroupUnit, pod: string | null = null): Promise<string> {
    const known = user === null ? pod : null;
    if (kind === 'container') {
      const name = await this.#once(`${user}/${id}`, () => this.#container(id, user, known));
      if (name !== null) return name;
      const short = id.slice(0, SHORT_ID);
      const podName = known === null ? null : await this.#once(`pod/${known}`, () => this.#logs.pod(known));
      return podName === null ? short : `${podName}/${short}`;
    }
    if (kind === 'pod' && user === null)
      return (await this.#once(`pod/${id}`, () => this.#logs.pod(id))) ?? `pod ${id}`;
    if (kind === 'pod') return `pod ${id}`;
    return id;
  }

  async #once(key: string, read: () => Promise<string | null>): Promise<string | null> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const name = await read();
    if (name !== null && this.#known.size < MAX_KNOWN) this.#known.set(key, name);
    return name;
  }

  /** Users may name groups of their own as they like: what the system's runtimes say is not of those. */
  async #container(id: string, user: number | null, pod: string | null): Promise<string | null> {
    if (user !== null) return this.#ofUser(id, user);
    return (
      (await this.#docker(id)) ??
      (await this.#containerd(id)) ??
      (await this.#storage(id, 'var/lib/containers/storage')) ??
      (await this.#logs.container(id, pod))
    );
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

  /** A user's own containers are in their home. */
  async #ofUser(id: string, user: number): Promise<string | null> {
    const home = this.#stuck ? null : await this.#home(user);
    if (home === null) return null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => {
        this.#stuck = true;
        resolve(null);
      }, HOME_MS);
    });
    try {
      return await Promise.race([
        this.#storage(id, join(home, '.local/share/containers/storage'), MAX_USER_BYTES),
        late,
      ]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Podman and CRI-O: the index of containers/storage. */
  async #storage(id: string, storage: string, most = MAX_BYTES): Promise<string | null> {
    for (const file of ['containers.json', 'volatile-containers.json']) {
      const name = (await this.#index(join(storage, 'overlay-containers', file), most)).get(id);
      if (name !== undefined) return name;
    }
    return null;
  }

  async #index(path: string, most: number): Promise<ReadonlyMap<string, string>> {
    const known = this.#indexes.get(path);
    if (known !== undefined && performance.now() - known.at < AGAIN_MS) return known.names;
    const index = await this.#open(path, most, async (file, stamp): Promise<Index> => {
      const names = stamp === known?.stamp ? known.names : namesIn(parsed(await file.readFile('utf8')));
      return { names, stamp, at: performance.now() };
    });
    if (index === null) return new Map();
    if (this.#indexes.size >= MAX_INDEXES) this.#indexes.clear();
    this.#indexes.set(path, index);
    return index.names;
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
    return parsed((await this.#read(path)) ?? 'null');
  }

  #read(path: string): Promise<string | null> {
    return this.#open(path, MAX_BYTES, (file) => file.readFile('utf8'));
  }

  /** What `use` makes of a regular file of at most that size, below the root; null when there is none. */
  async #open<T>(path: string, most: number, use: (file: FileHandle, stamp: string) => Promise<T>): Promise<T | null> {
    try {
      const file = await open(join(this.#root, path), OPEN_FLAGS);
      try {
        const seen = await file.stat();
        if (!seen.isFile() || seen.size > most) return null;
        return await use(file, `${seen.dev} ${seen.ino} ${seen.size} ${seen.mtimeMs} ${seen.ctimeMs}`);
      } finally {
        await file.close();
      }
    } catch {
      return null;
    }
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** The first name of each container in an index of containers/storage. */
function namesIn(list: unknown): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const entry of Array.isArray(list) ? list : []) {
    const id = text(member(entry, 'id'));
    const all = member(entry, 'names');
    const name = Array.isArray(all) ? text(all[0]) : null;
    if (id !== null && name !== null) names.set(id, name);
  }
  return names;
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
