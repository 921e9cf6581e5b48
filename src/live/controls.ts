// SPDX-License-Identifier: MIT
/** Variables of the probes that are written while they run (bpf/maps.bpf.h), through mapped memory: it takes no privilege. */

import type { BpfObject } from 'ebpf-ts';
import { SCOPES, type Scope } from '../core/events/session.js';

type Name = 'observing' | 'follow_children' | 'scope_cut';

export class Switches {
  readonly #view: DataView;
  readonly #offset: Readonly<Record<Name, number>>;
  /** Index of the scope the programs were loaded with. */
  readonly #loaded: number;
  #cut = 0;

  /** `memory`: .bss, mapped writable. Nothing may be asked of it once that is unmapped. */
  constructor(object: BpfObject, memory: ArrayBuffer, scope: Scope) {
    const offset = (name: string): number => object.variable('.bss', name).offset;
    this.#view = new DataView(memory);
    this.#offset = {
      observing: offset('observing'),
      follow_children: offset('follow_children'),
      scope_cut: offset('scope_cut'),
    };
    this.#loaded = SCOPES.indexOf(scope);
  }

  /** From now on faults begin and are counted. */
  observe(): void {
    this.#set('observing', 1);
  }

  /** Whether processes that this one forks now are followed. */
  followChildren(on: boolean): void {
    this.#set('follow_children', on ? 1 : 0);
  }

  /** The scope becomes narrower by a step: which one it is then, or null when there is no narrower one. */
  lowerScope(): Scope | null {
    const next = SCOPES[this.#loaded - this.#cut - 1];
    if (next === undefined) return null;
    this.#set('scope_cut', ++this.#cut);
    return next;
  }

  /** No fault begins to be followed any more; what has begun goes on. */
  beginNothing(): void {
    this.#cut = this.#loaded + 1;
    this.#set('scope_cut', this.#cut);
  }

  #set(name: Name, value: number): void {
    this.#view.setUint32(this.#offset[name], value, true);
  }
}
