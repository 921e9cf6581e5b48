// SPDX-License-Identifier: MIT
/** What belongs to an object may be used while the object lives. A pointer or descriptor is handed out only after asking here. */
import { misuse } from './errors.js';

export type Stage = 'open' | 'loaded' | 'closed';

/** `closeAside` is what can be left to a thread once nothing of the object is asked for any more; not where it is `ofObject`. */
interface Dependent {
  close(): void;
  closeAside?(): Promise<void>;
  readonly ofObject?: boolean;
}

export class Lifetime {
  readonly name: string;
  #stage: Stage = 'open';
  /** What must end before the object does, in order of creation. */
  readonly dependents: Set<Dependent> = new Set();

  constructor(name: string) {
    this.name = name;
  }

  get stage(): Stage {
    return this.#stage;
  }

  loaded(): void {
    this.#stage = 'loaded';
  }

  /** Closes the dependents, the newest first. Returns whether this was the first call. */
  end(): boolean {
    if (this.#stage === 'closed') return false;
    this.#stage = 'closed';
    for (const dependent of [...this.dependents].reverse()) dependent.close();
    this.dependents.clear();
    return true;
  }

  /** As `end`, but gives back the dependents that can be closed aside, the newest first; null when it was not the first call. */
  endAside(): readonly (() => Promise<void>)[] | null {
    if (this.#stage === 'closed') return null;
    this.#stage = 'closed';
    const aside: (() => Promise<void>)[] = [];
    for (const dependent of [...this.dependents].reverse()) {
      const { closeAside } = dependent;
      if (closeAside === undefined || dependent.ofObject) dependent.close();
      else aside.push(() => closeAside.call(dependent));
    }
    this.dependents.clear();
    return aside;
  }

  /** Throws `BpfError` when the object is closed. */
  alive(what: string): void {
    if (this.#stage === 'closed') throw misuse('ERR_BPF_CLOSED', what, `${this.name} is closed`);
  }

  /** Throws `BpfError` unless the object is open and not loaded yet. */
  beforeLoad(what: string): void {
    this.alive(what);
    if (this.#stage === 'loaded') throw misuse('ERR_BPF_STATE', what, `${this.name} is loaded already`);
  }

  /** Throws `BpfError` unless the object is loaded. */
  afterLoad(what: string): void {
    this.alive(what);
    if (this.#stage !== 'loaded') throw misuse('ERR_BPF_STATE', what, `${this.name} is not loaded yet`);
  }
}

/** Handles of libbpf, kept out of sight of those who use the classes. */
export const handles: WeakMap<object, bigint> = new WeakMap();

export function handleOf(owner: object): bigint {
  const handle = handles.get(owner);
  if (handle === undefined) throw misuse('ERR_BPF_TYPE', 'use a handle of libbpf', 'this was not made by this library');
  return handle;
}
