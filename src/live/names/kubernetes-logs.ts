// SPDX-License-Identifier: MIT
/**
 * Names of pods and their containers from the folders of logs that the kubelet makes. What runtimes keep is root's alone;
 * everybody may list these, and their names say it: no file is read.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const LINKS = 'var/log/containers';
const PODS = 'var/log/pods';
/** POD_NAMESPACE_CONTAINER-ID.log; names of pods, namespaces and containers hold no `_`. */
const LINK = /^([^_]+)_([^_]+)_([^_]+)-[0-9a-f]{64}\.log$/;

export class KubernetesLogs {
  readonly #root: string;

  /** `root`: where the host's file system is. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Namespace, pod and container, by the id of the container; by its pod where that has no other. null where none says it. */
  async container(id: string, pod: string | null): Promise<string | null> {
    const links = await this.#list(LINKS);
    const [, podName, namespace, name] = LINK.exec(links.find((link) => link.endsWith(`-${id}.log`)) ?? '') ?? [];
    if (name !== undefined) return `${namespace}/${podName}/${name}`;
    const folder = pod === null ? undefined : await this.#folder(pod);
    if (folder === undefined) return null;
    // Several containers cannot be distinguished.
    const containers = await this.#list(join(PODS, folder));
    return containers.length === 1 ? `${nameOf(folder)}/${containers[0]}` : null;
  }

  /** Namespace and pod, by the uid of the pod. */
  async pod(uid: string): Promise<string | null> {
    const folder = await this.#folder(uid);
    return folder === undefined ? null : nameOf(folder);
  }

  /** NAMESPACE_POD_UID */
  async #folder(uid: string): Promise<string | undefined> {
    return (await this.#list(PODS)).find((name) => name.endsWith(`_${uid}`) && name.split('_').length === 3);
  }

  #list(path: string): Promise<string[]> {
    return readdir(join(this.#root, path)).catch((): string[] => []);
  }
}

function nameOf(folder: string): string {
  const [namespace, pod] = folder.split('_');
  return `${namespace}/${pod}`;
}
