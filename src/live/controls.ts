// SPDX-License-Identifier: MIT
/** Variables of the probes that are written while they run (bpf/maps.bpf.h), through mapped memory: it takes no privilege. */

import type { BpfObject } from 'ebpf-ts';
import { SCOPES, type Scope } from '../core/events/session.js';

/** enum phase */
const DURING = 1;
const AFTER = 2;

type Word = 'observing' | 'follow_children' | 'scope_cut';

export class Controls {
  readonly #view: DataView;
  readonly #offset: Readonly<Record<Word | 'ends_at', number>>;
  /** Index of the scope the programs were loaded with. */
  readonly #loaded: number;
  #cut = 0;

  /** `memory`: .bss, mapped writable. Nothing may be asked of it once that is unmapped. */
  constructor(object: BpfObject, memory: ArrayBuffer, scope: Scope) {
    const offset = (name: string): number => object.variable('.bss', name).offset;
    this.#view = new DataView(memory);
    this.#offset = {
      observing: offset('observing'),
      ends_at: offset('ends_at'),
      follow_children: offset('follow_children'),
      scope_cut: offset('scope_cut'),
    };
    this.#loaded = SCOPES.indexOf(scope);
  }

  /** The session begins at this instant, for every program on every CPU: what they do from now on counts. */
  begin(): void {
    this.#set('observing', DURING);
  }

  /** The session ends at this instant: programs that begin to run from now on do nothing. */
  end(): void {
    this.#set('observing', AFTER);
  }

  /** The session ends at `ns` of CLOCK_MONOTONIC by itself, where programs read the clock at all then. */
  endAt(ns: bigint): void {
    this.#view.setBigUint64(this.#offset.ends_at, ns, true);
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#view.getUint32(this.#offset.observing, true) === AFTER;
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

  /** The scope becomes wider by a step, up to the one the programs were loaded with; null when it is that. */
  raiseScope(): Scope | null {
    if (this.#cut === 0) return null;
    this.#set('scope_cut', --this.#cut);
    return SCOPES[this.#loaded - this.#cut] ?? null;
  }

  #set(name: Word, value: number): void {
    this.#view.setUint32(this.#offset[name], value, true);
  }
}
