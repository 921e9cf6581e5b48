// SPDX-License-Identifier: MIT
/** What a map is, kept where nobody puts other sizes in its place: buffers are made by them, and the kernel fills buffers. */

import { misuse } from './errors.js';
import type { MapInfo, MapSource } from './map-source.js';
import { copiedSize, isKnown, isPerCpu, mapTypeName } from './map-types.js';
import { possibleCpus } from './system.js';
import { shown } from './words.js';

let reach: (map: object) => MeasuredMap | undefined = () => undefined;
/** `BpfMap` says how to get at what it keeps to itself. */
export function reachBy(inside: typeof reach): void {
  reach = inside;
}

export class MeasuredMap {
  readonly #source: MapSource;
  #of: MapInfo | null = null;
  #copied = 0;

  constructor(source: MapSource) {
    this.#source = source;
  }

  get name(): string {
    return this.#source.name;
  }
  get info(): MapInfo {
    return this.#source.info(`look at map ${this.name}`);
  }
  get fd(): number {
    return this.#source.fd(`use the descriptor of map ${this.name}`);
  }
  /** Bytes the kernel copies for one element. Throws `BpfError` for a type that is not known here. */
  get copiedSize(): number {
    const { info } = this;
    if (info === this.#of) return this.#copied;
    const { type, valueSize } = info;
    if (!isKnown(type))
      throw misuse(
        'ERR_BPF_TYPE',
        `use map ${this.name}`,
        `how much the kernel copies of ${mapTypeName(type)} is not known here`,
      );
    this.#copied = copiedSize(type, valueSize, isPerCpu(type) ? possibleCpus() : 1);
    this.#of = info;
    return this.#copied;
  }
  close(): void {
    this.#source.close();
  }
}

/** The map behind a `BpfMap`. Throws `BpfError` for anything else, and for what only looks like one. */
export function mapOf(map: object, what: string): MeasuredMap {
  const found = typeof map === 'object' && map !== null ? reach(map) : undefined;
  if (found === undefined) throw misuse('ERR_BPF_TYPE', what, `expected a BpfMap, got ${shown(map)}`);
  return found;
}
