// SPDX-License-Identifier: MIT
/** Call stacks, interned: names of functions, frames made of them, stacks made of those. */
import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import {
  Callstack,
  Frame,
  FrameKind,
  InternedData,
  InternedString,
  putMessage,
  putString,
  putVarint,
} from './fields.js';
import { Interner } from './interner.js';
import type { StackMark } from './stack-marks.js';

export type CallStack = Pick<StackMark, 'user' | 'kernel'>;

const KIND = { user: FrameKind.NATIVE, kernel: FrameKind.KERNEL } as const;

export class Stacks {
  readonly #functions = new Interner();
  readonly #frames = new Interner();
  readonly #stacks = new Interner();

  /** Something is not written yet. */
  get isFresh(): boolean {
    return [this.#functions, this.#frames, this.#stacks].some(({ fresh }) => fresh.length > 0);
  }

  id({ user, kernel }: CallStack): number {
    // Outermost first, which Perfetto calls bottom.
    const frames = [
      ...[...user].reverse().map((name) => this.#frame('user', name)),
      ...[...kernel].reverse().map((name) => this.#frame('kernel', name)),
    ];
    return this.#stacks.id(frames.join(' '));
  }

  /** Within a message InternedData: what is fresh. */
  put(w: BinaryWriter): void {
    for (const [id, name] of take(this.#functions)) {
      putMessage(w, InternedData.function_names, () => {
        putVarint(w, InternedString.iid, id);
        putString(w, InternedString.str, name);
      });
    }
    for (const [id, frame] of take(this.#frames)) {
      const [kind, name] = frame.split(' ').map(Number);
      putMessage(w, InternedData.frames, () => {
        putVarint(w, Frame.iid, id);
        putVarint(w, Frame.function_name_id, name ?? 0);
        putVarint(w, Frame.kind, kind ?? 0);
      });
    }
    for (const [id, frames] of take(this.#stacks)) {
      putMessage(w, InternedData.callstacks, () => {
        putVarint(w, Callstack.iid, id);
        for (const frame of frames.split(' ')) w.tag(Callstack.frame_ids, WireType.Varint).uint64(Number(frame));
      });
    }
  }

  #frame(of: 'user' | 'kernel', name: string): number {
    return this.#frames.id(`${KIND[of]} ${this.#functions.id(name)}`);
  }
}

function take(interner: Interner): readonly [id: number, name: string][] {
  const { fresh } = interner;
  interner.fresh = [];
  return fresh;
}
