// SPDX-License-Identifier: MIT
/** Packets of one sequence: descriptors of tracks, and events on them, with their names interned. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ClockPair } from '../../core/events/session.js';
import type { Context } from '../base/context.js';
import {
  BuiltinClock,
  Clock,
  ClockSnapshot,
  DebugAnnotation,
  EventType,
  InternedData,
  InternedName,
  putMessage,
  putString,
  putVarint,
  SequenceFlags,
  Trace,
  TracePacket,
  TracePacketDefaults,
  TrackDescriptor,
  TrackEvent,
} from './fields.js';
import { Interner } from './interner.js';
import { type CallStack, Stacks } from './stacks.js';

/** Any number but 0: there is one sequence in the file. */
const SEQUENCE = 1;

/** An address; `hex` is how Perfetto shows it. */
export interface Pointer {
  readonly hex: number | bigint;
}

export type Annotation = string | number | boolean | Pointer;
/** Values that are null (not known) are left out. */
export type Annotations = Readonly<Record<string, Annotation | null>>;

export interface EventBody {
  readonly name: string;
  readonly category: string;
  readonly notes?: Annotations;
  readonly flow?: bigint;
  /** The flow comes here and ends. */
  readonly flowEnd?: bigint;
  readonly stack?: CallStack;
}

export class Packets {
  readonly #writer = new BinaryWriter();
  readonly #context: Context;
  readonly #names = new Interner();
  readonly #categories = new Interner();
  readonly #annotations = new Interner();
  readonly #stacks = new Stacks();
  /** Packets since the last `take`. */
  pending = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#head();
  }

  /** The bytes gathered so far, which are then gone from here. */
  take(): Uint8Array {
    this.pending = 0;
    return this.#writer.finish();
  }

  track(
    uuid: bigint,
    parent: bigint | null,
    name: string | null,
    fill: (writer: BinaryWriter) => void = () => {},
  ): void {
    const w = this.#writer;
    this.#packet(() => {
      putMessage(w, TracePacket.track_descriptor, () => {
        putVarint(w, TrackDescriptor.uuid, uuid);
        if (parent !== null) putVarint(w, TrackDescriptor.parent_uuid, parent);
        if (name !== null) putString(w, TrackDescriptor.name, name);
        fill(w);
      });
    });
  }

  begin(track: bigint, time: number, body: EventBody): void {
    this.#event(track, time, EventType.SLICE_BEGIN, body);
  }

  end(track: bigint, time: number): void {
    this.#event(track, time, EventType.SLICE_END, null);
  }

  instant(track: bigint, time: number, body: EventBody): void {
    this.#event(track, time, EventType.INSTANT, body);
  }

  counter(track: bigint, time: number, value: number): void {
    const w = this.#writer;
    this.#packet(() => {
      this.#timestamp(time);
      putMessage(w, TracePacket.track_event, () => {
        putVarint(w, TrackEvent.type, EventType.COUNTER);
        putVarint(w, TrackEvent.track_uuid, track);
        putVarint(w, TrackEvent.counter_value, Math.round(value));
      });
    });
  }

  #event(track: bigint, time: number, type: number, body: EventBody | null): void {
    const w = this.#writer;
    this.#packet(() => {
      this.#timestamp(time);
      putMessage(w, TracePacket.track_event, () => {
        putVarint(w, TrackEvent.type, type);
        putVarint(w, TrackEvent.track_uuid, track);
        if (body === null) return;
        putVarint(w, TrackEvent.category_iids, this.#categories.id(body.category));
        putVarint(w, TrackEvent.name_iid, this.#names.id(body.name));
        for (const [name, value] of Object.entries(body.notes ?? {})) {
          if (value !== null) this.#annotate(name, value);
        }
        if (body.stack !== undefined) putVarint(w, TrackEvent.callstack_iid, this.#stacks.id(body.stack));
        if (body.flow !== undefined) w.tag(TrackEvent.flow_ids, WireType.Bit64).fixed64(body.flow);
        if (body.flowEnd !== undefined) w.tag(TrackEvent.terminating_flow_ids, WireType.Bit64).fixed64(body.flowEnd);
      });
      this.#interned();
    });
  }

  #annotate(name: string, value: Annotation): void {
    const w = this.#writer;
    putMessage(w, TrackEvent.debug_annotations, () => {
      putVarint(w, DebugAnnotation.name_iid, this.#annotations.id(name));
      if (typeof value === 'string') putString(w, DebugAnnotation.string_value, value);
      else if (typeof value === 'boolean') w.tag(DebugAnnotation.bool_value, WireType.Varint).bool(value);
      else if (typeof value === 'object') putVarint(w, DebugAnnotation.pointer_value, value.hex);
      else if (Number.isSafeInteger(value)) w.tag(DebugAnnotation.int_value, WireType.Varint).int64(value);
      else w.tag(DebugAnnotation.double_value, WireType.Bit64).double(value);
    });
  }

  #interned(): void {
    const w = this.#writer;
    const tables: readonly (readonly [number, Interner])[] = [
      [InternedData.event_categories, this.#categories],
      [InternedData.event_names, this.#names],
      [InternedData.debug_annotation_names, this.#annotations],
    ];
    if (tables.every(([, interner]) => interner.fresh.length === 0) && !this.#stacks.isFresh) return;
    putMessage(w, TracePacket.interned_data, () => {
      for (const [field, interner] of tables) {
        for (const [id, name] of interner.fresh) {
          putMessage(w, field, () => {
            putVarint(w, InternedName.iid, id);
            putString(w, InternedName.name, name);
          });
        }
        interner.fresh = [];
      }
      this.#stacks.put(w);
    });
  }

  /** Session time to CLOCK_MONOTONIC, which begins with the machine. */
  #monotonic(time: number): bigint {
    const at = this.#context.baseNs + BigInt(Math.round(time));
    return at < 0n ? 0n : BigInt.asUintN(64, at);
  }

  #timestamp(time: number): void {
    putVarint(this.#writer, TracePacket.timestamp, this.#monotonic(time));
  }

  #packet(fill: () => void, flags: number = SequenceFlags.NEEDS_INCREMENTAL_STATE): void {
    const w = this.#writer;
    this.pending++;
    putMessage(w, Trace.packet, () => {
      putVarint(w, TracePacket.trusted_packet_sequence_id, SEQUENCE);
      putVarint(w, TracePacket.sequence_flags, flags);
      fill();
    });
  }

  /** Timestamps are CLOCK_MONOTONIC, which is made the clock of the trace; the wall clock is tied to it. */
  #head(): void {
    const w = this.#writer;
    this.#packet(() => {
      putMessage(w, TracePacket.trace_packet_defaults, () => {
        putVarint(w, TracePacketDefaults.timestamp_clock_id, BuiltinClock.MONOTONIC);
      });
    }, SequenceFlags.INCREMENTAL_STATE_CLEARED | SequenceFlags.NEEDS_INCREMENTAL_STATE);
    const { clocks } = this.#context;
    for (const pair of clocks.length > 0 ? clocks : [null]) this.clock(pair);
  }

  /** Ties the wall clock to the trace's from then on; without a pair the trace has its own alone. */
  clock(pair: ClockPair | null): void {
    const w = this.#writer;
    const readings: (readonly [number, bigint])[] = [[BuiltinClock.MONOTONIC, this.#monotonic(pair?.time ?? 0)]];
    if (pair !== null) readings.push([BuiltinClock.REALTIME, BigInt(pair.realtimeNs)]);
    this.#packet(() => {
      putMessage(w, TracePacket.clock_snapshot, () => {
        putVarint(w, ClockSnapshot.primary_trace_clock, BuiltinClock.MONOTONIC);
        for (const [id, reading] of readings) {
          putMessage(w, ClockSnapshot.clocks, () => {
            putVarint(w, Clock.clock_id, id);
            putVarint(w, Clock.timestamp, reading);
          });
        }
      });
    });
  }
}
