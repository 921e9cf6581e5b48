// SPDX-License-Identifier: MIT
/** The names of Kubernetes in the name of a cgroup: `shop/web-0/nginx /kubepods.slice/…`. */

export interface KubernetesNames {
  readonly namespace: string;
  readonly pod: string;
  /** Absent for the cgroup of the pod itself. */
  readonly container?: string;
}

const NAMED = /^([^/ ]+)\/([^/ ]+)(?:\/([^/ ]+))? \/\S*kubepods/;

/** null for a cgroup of anything else, or without a name. */
export function kubernetesOf(cgroupName: string): KubernetesNames | null {
  const [, namespace, pod, container] = NAMED.exec(cgroupName) ?? [];
  if (namespace === undefined || pod === undefined) return null;
  return container === undefined ? { namespace, pod } : { namespace, pod, container };
}
