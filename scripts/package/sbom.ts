// SPDX-License-Identifier: MIT
/** The bill of materials: what `npm sbom` says of the tree, without what is not in the package. */
import { execFileSync } from 'node:child_process';
import type { Shipped } from './notices.js';

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
}

interface Bom {
  readonly metadata: { readonly component: { readonly 'bom-ref': string }; timestamp?: string };
  serialNumber?: string;
  components: readonly Component[];
  dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** CycloneDX, as JSON. The same sources give the same text: no time and no random number stay in it. */
export function sbom(root: string, shipped: readonly Shipped[]): string {
  const args = ['sbom', '--omit=dev', '--sbom-format=cyclonedx', '--package-lock-only'];
  const bom = JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 })) as Bom;
  const names = new Set(shipped.map(({ name, version }) => `${name}@${version}`));
  const kept = bom.components.filter(({ name, version }) => names.has(`${name}@${version}`) || name === 'ebpf-ts');
  const refs = new Set([bom.metadata.component['bom-ref'], ...kept.map((component) => component['bom-ref'])]);
  bom.components = kept;
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  return `${JSON.stringify(bom, null, 2)}\n`;
}
