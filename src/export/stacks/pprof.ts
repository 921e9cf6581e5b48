// SPDX-License-Identifier: MIT
/** pprof's profile.proto (github.com/google/pprof, proto/profile.proto): fields by number, gzipped as it demands. */
import { gzipSync } from 'node:zlib';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { functionOf } from '../../core/events/frames.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { StackSample } from '../../core/present/stack-samples.js';
import { describeLosses, type Losses } from '../base/losses.js';

const Profile = {
  sample_type: 1,
  sample: 2,
  mapping: 3,
  location: 4,
  function: 5,
  string_table: 6,
  time_nanos: 9,
  duration_nanos: 10,
  comment: 13,
  default_sample_type: 14,
} as const;
const ValueType = { type: 1, unit: 2 } as const;
const Sample = { location_id: 1, value: 2, label: 3 } as const;
const Label = { key: 1, str: 2 } as const;
const Mapping = { id: 1, filename: 5, has_functions: 7 } as const;
const Location = { id: 1, mapping_id: 2, line: 4 } as const;
const Line = { function_id: 1 } as const;
const FunctionField = { id: 1, name: 2, system_name: 3 } as const;

export interface ProfileFacts {
  readonly session: SessionInfo;
  /** ns since the epoch; null not known. */
  readonly began: bigint | null;
  readonly durationNs: number;
  readonly losses: Losses;
  readonly weight: 'count' | 'time';
}

/** Numbers from 1, in the order things are met. */
class Ids {
  readonly #ids: Map<string, number> = new Map();

  /** `fresh` is called where `key` was not met before. */
  of(key: string, fresh: (id: number) => void = () => {}): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#ids.set(key, id);
    fresh(id);
    return id;
  }
}

/** The file a frame lies in, as frames are worded: `malloc+0x1a [libc.so.6]`, `libfoo.so+0x12`. */
function fileOf(frame: string, isKernel: boolean): string {
  const named = /\[([^\]]+)\]$/.exec(frame)?.[1];
  if (isKernel) return named === undefined ? '[kernel]' : `[kernel ${named}]`;
  return named ?? functionOf(frame);
}

class Writer {
  readonly #w = new BinaryWriter();
  readonly #strings: Map<string, number> = new Map([['', 0]]);
  readonly #functions = new Ids();
  readonly #locations = new Ids();
  readonly #mappings = new Ids();

  string(text: string): number {
    let id = this.#strings.get(text);
    if (id === undefined) {
      id = this.#strings.size;
      this.#strings.set(text, id);
    }
    return id;
  }

  number(field: number, value: number | bigint): void {
    if (value !== 0 && value !== 0n) this.#w.tag(field, WireType.Varint).int64(value);
  }

  text(field: number, value: string): void {
    this.number(field, this.string(value));
  }

  message(field: number, fill: () => void): void {
    this.#w.tag(field, WireType.LengthDelimited).fork();
    fill();
    this.#w.join();
  }

  packed(field: number, values: readonly number[]): void {
    this.message(field, () => {
      for (const value of values) this.#w.int64(Math.round(value));
    });
  }

  /** A place in the code, written when it is met first. */
  location(frame: string, isKernel: boolean): number {
    const name = functionOf(frame);
    const file = fileOf(frame, isKernel);
    return this.#locations.of(`${isKernel} ${frame}`, (id) => {
      const mapping = this.#mappings.of(file, (at) => {
        this.message(Profile.mapping, () => {
          this.number(Mapping.id, at);
          this.text(Mapping.filename, file);
          this.number(Mapping.has_functions, 1);
        });
      });
      const func = this.#functions.of(`${file} ${name}`, (at) => {
        this.message(Profile.function, () => {
          this.number(FunctionField.id, at);
          this.text(FunctionField.name, name);
          this.text(FunctionField.system_name, name);
        });
      });
      this.message(Profile.location, () => {
        this.number(Location.id, id);
        this.number(Location.mapping_id, mapping);
        this.message(Location.line, () => this.number(Line.function_id, func));
      });
    });
  }

  finish(): Uint8Array {
    for (const text of this.#strings.keys()) this.#w.tag(Profile.string_table, WireType.LengthDelimited).string(text);
    return this.#w.finish();
  }
}

/** A sample has two values, how often and ns; its labels say what it was taken of, why, and of which process. */
export function pprofBytes(samples: readonly StackSample[], facts: ProfileFacts): Uint8Array {
  const { session, began, durationNs, losses, weight } = facts;
  const w = new Writer();
  for (const [type, unit] of [
    ['events', 'count'],
    ['time', 'nanoseconds'],
  ] as const) {
    w.message(Profile.sample_type, () => {
      w.text(ValueType.type, type);
      w.text(ValueType.unit, unit);
    });
  }
  for (const sample of samples) {
    // The leaf comes first.
    const locations = [
      ...sample.kernel.map((frame) => w.location(frame, true)),
      ...sample.user.map((frame) => w.location(frame, false)),
    ];
    if (locations.length === 0) locations.push(w.location('[frames not known]', true));
    w.message(Profile.sample, () => {
      w.packed(Sample.location_id, locations);
      w.packed(Sample.value, [sample.count, sample.ns]);
      const labels = { kind: sample.kind, reason: sample.reason, process: sample.process };
      for (const [key, value] of Object.entries(labels)) {
        if (value === '') continue;
        w.message(Sample.label, () => {
          w.text(Label.key, key);
          w.text(Label.str, value);
        });
      }
    });
  }
  if (began !== null) w.number(Profile.time_nanos, began);
  w.number(Profile.duration_nanos, Math.round(durationNs));
  w.packed(
    Profile.comment,
    [session.tool, `${session.host}, Linux ${session.kernel}`, describeLosses(losses)].map((text) => w.string(text)),
  );
  w.text(Profile.default_sample_type, weight === 'count' ? 'events' : 'time');
  return gzipSync(w.finish());
}
